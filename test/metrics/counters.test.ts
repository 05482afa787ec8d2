import { describe, expect, test } from 'vitest';
import { createCounters, RowMemory } from '../../src/metrics/memory.js';
import { exposition } from '../../src/metrics/text.js';
import { TotalsReader } from '../../src/metrics/totals.js';
import type { Named } from '../../src/model/ids.js';
import { IdRegistry } from '../../src/plane/ids.js';
import { noFigures, samplesOf } from '../support/counts.js';
import { parseMetrics, total } from '../support/metrics.js';
import { unbalanced } from './books.js';
import { EngineCounts } from './engine-counts.js';

const named: Named = {
  listeners: [{ name: 'front' }, { name: 'back' }],
  protocols: [{ id: 'http' }, { id: 'tls' }, { id: 'ssh' }],
  upstreams: [
    { name: 'web', endpoints: [{ name: '10.0.0.1:80' }, { name: '10.0.0.2:80' }] },
    { name: 'bastion', endpoints: [{ name: '10.0.0.3:22' }] },
  ],
};

/** One worker with the Plan above. */
function worker() {
  const ids = new IdRegistry();
  const buffer = createCounters();
  const counts = EngineCounts.of(buffer, ids, named);
  return {
    buffer,
    ids,
    counts,
    metric: (name: string, labels?: Record<string, string>) => total(samplesOf([buffer], ids), name, labels),
  };
}

describe('what is counted', () => {
  test('a refused connection is accepted, refused, and a session that ended over the limit', () => {
    const { counts, metric } = worker();
    counts.refuse(1);
    const back = { listener: 'back' };
    expect(metric('anyport_accepted_total', back)).toBe(1);
    expect(metric('anyport_refused_total', { ...back, reason: 'over_limit' })).toBe(1);
    expect(metric('anyport_sessions_total', { ...back, protocol: '', reason: 'over_limit' })).toBe(1);
    expect(metric('anyport_sessions_active')).toBe(0);
  });

  test('bytes count for the protocol they are relayed under', () => {
    const { counts, metric } = worker();
    counts.accept(0);
    counts.identify(0, 2, 3);
    counts.relay(0, 2, 2 ** 40, 7);
    const ssh = { listener: 'front', protocol: 'ssh' };
    expect(metric('anyport_bytes_total', { ...ssh, direction: 'up' })).toBe(2 ** 40);
    expect(metric('anyport_bytes_total', { ...ssh, direction: 'down' })).toBe(7);
    expect(metric('anyport_sessions_active', ssh)).toBe(1);
  });

  test('endpoints: sessions connected now, and failures by reason', () => {
    const { counts, metric } = worker();
    counts.connect(0, 1, 4);
    counts.connect(0, 1, 6000);
    counts.release(0, 1);
    const row = counts.plan.endpointRow(1, 0);
    counts.counters.addBy('anyport_connect_failures_total', 'connect_timeout', row);
    expect(metric('anyport_endpoint_sessions')).toBe(1);
    expect(metric('anyport_endpoint_sessions', { upstream: 'web', endpoint: '10.0.0.2:80' })).toBe(1);
    expect(metric('anyport_connect_seconds_sum', { upstream: 'web' })).toBeCloseTo(6.004);
    expect(metric('anyport_connect_seconds_bucket', { le: '5' })).toBe(1);
    expect(metric('anyport_connect_seconds_bucket', { le: '+Inf' })).toBe(2);
    const failed = { upstream: 'bastion', endpoint: '10.0.0.3:22', reason: 'connect_timeout' };
    expect(metric('anyport_connect_failures_total', failed)).toBe(1);
  });
});

describe('histogram', () => {
  const cases = [
    { why: 'a bound belongs to its own bucket', ms: 1, bucket: '0.001' },
    { why: 'nothing measured is in the first', ms: 0, bucket: '0.0005' },
    { why: 'between two bounds', ms: 7, bucket: '0.01' },
    { why: 'over the last bound', ms: 20_000, bucket: '+Inf' },
  ];
  test.each(cases)('$why', ({ ms, bucket }) => {
    const { counts, buffer, ids, metric } = worker();
    counts.identify(0, 0, ms);
    const first = samplesOf([buffer], ids).find(
      ({ name, value }) => name === 'anyport_identify_seconds_bucket' && value === 1,
    );
    expect(first?.labels.le).toBe(bucket);
    expect(metric('anyport_identify_seconds_sum')).toBeCloseTo(ms / 1000);
  });
});

describe('read while the worker goes on counting', () => {
  const changes = [
    { why: 'a session that ends is not seen twice', most: 2, change: ends },
    { why: 'one that is accepted, identified and ends is not seen twice', most: 3, change: passes },
    { why: 'one that is refused is not seen twice', most: 3, change: isRefused },
  ];

  function ends({ counts }: ReturnType<typeof worker>): void {
    counts.end(0, 1, 'done', 20);
  }
  function passes({ counts }: ReturnType<typeof worker>): void {
    counts.accept(0);
    counts.identify(0, 2, 1);
    counts.end(0, 2, 'done', 20);
  }
  function isRefused({ counts }: ReturnType<typeof worker>): void {
    counts.refuse(0);
  }

  test.each(changes)('$why', ({ most, change }) => {
    let finished = false;
    for (let moment = 0; !finished; moment += 1) {
      const one = worker();
      one.counts.accept(0);
      one.counts.accept(0);
      one.counts.identify(0, 1, 3);
      one.counts.identify(0, 2, 3);
      one.counts.end(0, 2, 'done', 3);
      let reads = 0;
      const memory = interrupted(one.buffer, () => {
        if (reads++ === moment) change(one);
      });
      const samples = parseMetrics(exposition(new TotalsReader([memory], one.ids).read(), noFigures));
      finished = reads <= moment;
      expect(unbalanced(samples)).toEqual([]);
      expect(samples.filter(({ value }) => value < 0)).toEqual([]);
      expect(total(samples, 'anyport_accepted_total')).toBeLessThanOrEqual(most);
    }
  });

  /** `meanwhile` runs before each cell is read. */
  function interrupted(buffer: SharedArrayBuffer, meanwhile: () => void): RowMemory {
    const memory = new RowMemory(buffer);
    const cells = new Proxy(memory.cells, {
      get(target, property) {
        if (typeof property === 'string' && /^\d+$/.test(property)) meanwhile();
        const value = Reflect.get(target, property, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    return Object.defineProperty(memory, 'cells', { value: cells });
  }
});
