/** Totals that pass from one process to the next by name. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { InheritedTotals } from '../../src/metrics/inherited.js';
import { createCounters, RowMemory } from '../../src/metrics/memory.js';
import { NamedTotals } from '../../src/metrics/named.js';
import { TotalsReader } from '../../src/metrics/totals.js';
import type { Named } from '../../src/model/ids.js';
import type { NamedRow } from '../../src/model/named-row.js';
import { IdRegistry } from '../../src/plane/ids.js';
import { samplesOf } from '../support/counts.js';
import { total } from '../support/metrics.js';
import { EngineCounts } from './engine-counts.js';

const upstreams = [{ name: 'web', endpoints: [{ name: 'a:1' }, { name: 'b:1' }] }];
const older: Named = {
  listeners: [{ name: 'front' }, { name: 'gone' }],
  protocols: [{ id: 'http' }, { id: 'ssh' }],
  upstreams,
};
const newer: Named = {
  listeners: [{ name: 'new' }, { name: 'front' }],
  protocols: [{ id: 'ssh' }, { id: 'tls' }, { id: 'http' }],
  upstreams: [{ name: 'other', endpoints: [{ name: 'a:1' }] }, ...upstreams],
};

/** A process with one worker, and what it has inherited. */
class Process {
  readonly ids = new IdRegistry();
  readonly #buffer = createCounters();
  readonly counts: EngineCounts;
  readonly inherited = new InheritedTotals(this.ids);
  readonly #named = new NamedTotals(
    new TotalsReader([new RowMemory(this.#buffer), new RowMemory(this.inherited.buffer)], this.ids),
    this.ids,
  );

  constructor(named: Named) {
    this.counts = EngineCounts.of(this.#buffer, this.ids, named);
  }

  /** As they arrive: through JSON. */
  changes(): NamedRow[] {
    return JSON.parse(JSON.stringify(this.#named.changes()));
  }

  /** Sum of the samples of a metric. */
  sum(metric: string, labels: Record<string, string> = {}): number {
    return total(samplesOf([this.#buffer, this.inherited.buffer], this.ids), metric, labels);
  }

  balances(): boolean {
    return (
      this.sum('anyport_accepted_total') ===
      this.sum('anyport_sessions_total') + this.sum('anyport_sessions_active')
    );
  }
}

function pair(): { before: Process; after: Process } {
  return { before: new Process(older), after: new Process(newer) };
}

/** One session of each kind: ended, relayed, not identified, refused. */
function busy({ counts }: Process): void {
  counts.accept(0, 3);
  counts.refuse(1);
  counts.identify(0, 0, 3);
  counts.connect(0, 1, 2);
  counts.relay(0, 0, 100, 2000);
  counts.end(0, 0, 'done', 40);
  counts.release(0, 1);
  counts.identify(0, 1, 7);
  counts.connect(0, 0, 2);
}

describe('a successor', () => {
  test('shows what its predecessor has counted under the same names', () => {
    const { before, after } = pair();
    busy(before);
    after.inherited.take(before.changes());
    for (const [metric, labels] of [
      ['anyport_accepted_total', { listener: 'front' }],
      ['anyport_accepted_total', { listener: 'gone' }],
      ['anyport_refused_total', { listener: 'gone' }],
      ['anyport_sessions_total', { protocol: 'http', reason: 'done' }],
      ['anyport_sessions_total', { reason: 'over_limit' }],
      ['anyport_sessions_active', { protocol: 'ssh' }],
      ['anyport_sessions_active', { protocol: '' }],
      ['anyport_bytes_total', { direction: 'down' }],
      ['anyport_endpoint_sessions', { upstream: 'web', endpoint: 'a:1' }],
      ['anyport_connect_seconds_count', { upstream: 'web' }],
      ['anyport_identify_seconds_bucket', { le: '0.005' }],
      ['anyport_session_seconds_sum', {}],
    ] as const) {
      expect([metric, labels, after.sum(metric, labels)]).toEqual([
        metric,
        labels,
        before.sum(metric, labels),
      ]);
      expect(after.sum(metric, labels)).toBeGreaterThan(0);
    }
    expect(after.balances()).toBe(true);
  });

  test('adds its own to them, and takes what is new while the predecessor goes on', () => {
    const { before, after } = pair();
    busy(before);
    after.inherited.take(before.changes());
    after.counts.accept(1, 5);
    before.counts.end(0, 1, 'reset', 10);
    before.counts.accept(0);
    after.inherited.take(before.changes());
    expect(after.sum('anyport_accepted_total', { listener: 'front' })).toBe(9);
    expect(after.sum('anyport_sessions_total', { protocol: 'ssh', reason: 'reset' })).toBe(1);
    expect(after.balances()).toBe(true);
  });

  test('counts as reset what was open when the predecessor died, identified or not', () => {
    const { before, after } = pair();
    busy(before);
    after.inherited.take(before.changes());
    after.inherited.settle();
    after.inherited.settle();
    expect(after.sum('anyport_sessions_active')).toBe(0);
    expect(after.sum('anyport_endpoint_sessions')).toBe(0);
    expect(after.sum('anyport_sessions_total', { protocol: 'ssh', reason: 'reset' })).toBe(1);
    expect(after.sum('anyport_sessions_total', { protocol: '', reason: 'reset' })).toBe(1);
    expect(after.balances()).toBe(true);
  });

  test('buffers of the predecessor are counted while it runs, and those in use and free go with it', () => {
    const { before, after } = pair();
    before.counts.pool('medium', { inUse: 3, capacity: 10, uses: 5, misses: 1, peak: 4 });
    after.counts.pool('medium', { inUse: 1, capacity: 10, uses: 1, misses: 0, peak: 1 });
    after.inherited.take(before.changes());
    const medium = { tier: 'medium' };
    expect(after.sum('anyport_buffers', { ...medium, state: 'in_use' })).toBe(4);
    expect(after.sum('anyport_buffers', { ...medium, state: 'free' })).toBe(16);
    after.inherited.settle();
    expect(after.sum('anyport_buffers', { ...medium, state: 'in_use' })).toBe(1);
    expect(after.sum('anyport_buffers', { ...medium, state: 'free' })).toBe(9);
    expect(after.sum('anyport_buffer_uses_total', medium)).toBe(6);
  });

  test('passes on what it has inherited', () => {
    const { before, after } = pair();
    const last = new Process(newer);
    busy(before);
    after.inherited.take(before.changes());
    after.counts.accept(1);
    last.inherited.take(after.changes());
    before.counts.end(0, 1, 'done', 10);
    after.inherited.take(before.changes());
    last.inherited.take(after.changes());
    for (const metric of ['anyport_accepted_total', 'anyport_sessions_total', 'anyport_sessions_active'])
      expect(last.sum(metric)).toBe(after.sum(metric));
    expect(last.sum('anyport_accepted_total')).toBe(5);
  });
});

test('only rows that have changed are told again', () => {
  const { before } = pair();
  busy(before);
  expect(before.changes().length).toBeGreaterThan(5);
  expect(before.changes()).toEqual([]);
  before.counts.relay(0, 0, 1, 1);
  expect(before.changes()).toMatchObject([{ scope: 'listener_protocol', names: ['front', 'http'] }]);
});

describe('a catalog of another version', () => {
  const rows = (scope: string, names: NamedRow['names'], cells: NamedRow['cells']): NamedRow[] => [
    { scope, names, cells },
  ];

  test('metrics, labels and scopes that are not known are left out', () => {
    const { after } = pair();
    after.inherited.take(rows('listener', ['front'], { anyport_accepted_total: 4, anyport_new_total: 9 }));
    after.inherited.take(rows('galaxy', ['front'], { anyport_accepted_total: 4 }));
    after.inherited.take(
      rows('listener_protocol', ['front', 'http'], { 'anyport_sessions_total{eaten}': 3 }),
    );
    expect(after.sum('anyport_accepted_total')).toBe(4);
    expect(after.sum('anyport_sessions_total')).toBe(0);
  });

  test('a bucket with another bound is counted in the next larger one', () => {
    const { after } = pair();
    const cells = {
      'anyport_identify_seconds{le=0.003}': 2,
      'anyport_identify_seconds{le=0.005}': 1,
      'anyport_identify_seconds{le=99}': 4,
      'anyport_identify_seconds{le=Infinity}': 8,
      'anyport_identify_seconds{sum}': 700,
    };
    after.inherited.take(rows('worker', [], cells));
    expect(after.sum('anyport_identify_seconds_bucket', { le: '0.0025' })).toBe(0);
    expect(after.sum('anyport_identify_seconds_bucket', { le: '0.005' })).toBe(3);
    expect(after.sum('anyport_identify_seconds_bucket', { le: '15' })).toBe(3);
    expect(after.sum('anyport_identify_seconds_count')).toBe(15);
    expect(after.sum('anyport_identify_seconds_sum')).toBe(700);
  });
});

test('whatever is counted and whenever it is told, the sums are those of both', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('accept' as const), of: fc.nat(1), listener: fc.nat(1) }),
    fc.record({ kind: fc.constant('session' as const), of: fc.nat(1), listener: fc.nat(1) }),
    fc.record({ kind: fc.constant('tell' as const), of: fc.nat(1), listener: fc.nat(1) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const { before, after } = pair();
      let accepted = 0;
      for (const { kind, of, listener } of steps) {
        if (kind === 'tell') {
          after.inherited.take(before.changes());
          continue;
        }
        const { counts } = of === 0 ? before : after;
        accepted += 1;
        counts.accept(listener);
        if (kind === 'accept') continue;
        counts.identify(listener, 0, 1);
        counts.end(listener, 0, 'done', 1);
      }
      after.inherited.take(before.changes());
      after.inherited.settle();
      expect(after.sum('anyport_accepted_total')).toBe(accepted);
      expect(after.balances()).toBe(true);
    }),
    { numRuns: 100 },
  );
});
