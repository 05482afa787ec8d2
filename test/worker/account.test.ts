import { expect, test } from 'vitest';
import { createLogger } from '../../src/base/log.js';
import { type CountersShape, createCounters, WorkerCounters } from '../../src/metrics/counters.js';
import { snapshot } from '../../src/metrics/totals.js';
import { createAccount, type SessionLine } from '../../src/worker/account.js';

const shape: CountersShape = { listeners: ['front'], protocols: ['http'], upstreams: [] };

const end = { listener: 0, protocol: -1, durationMs: 3, reason: 'client_gone' } as const;

const line: SessionLine = {
  listener: 'front',
  protocol: null,
  facts: {},
  source: '192.0.2.7:40000',
  upstream: null,
  endpoint: null,
  bytesUp: 0,
  bytesDown: 0,
  identifyMs: 0,
  connectMs: 0.12345,
  durationMs: 3,
  by: 'client',
  during: 'sniff',
  reason: 'client_gone',
};

function accountWith(rate: number, level = 'info') {
  const buffer = createCounters(shape);
  const lines: string[] = [];
  let now = 0;
  const account = createAccount({
    worker: 3,
    workers: 2,
    accessLog: { enabled: true, rate },
    counters: new WorkerCounters(shape, buffer),
    logger: createLogger({ level, write: (line) => lines.push(line) }),
    nowMs: () => now,
  });
  const advance = (ms: number) => {
    now += ms;
  };
  return { account, advance, lines, totals: () => snapshot(shape, [buffer]) };
}

test('a session that ended is one line and one count', () => {
  const { account, lines, totals } = accountWith(10);
  account.ended(end, () => line);
  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({
    msg: 'session',
    listener: 'front',
    protocol: null,
    source: '192.0.2.7:40000',
    by: 'client',
    during: 'sniff',
    reason: 'client_gone',
    connect_ms: 0.123,
    worker: 3,
  });
  expect(totals().listeners[0]?.protocols[0]?.ended).toEqual({ client_gone: 1 });
});

test('over its share of the rate lines are dropped and counted; the sessions are counted all the same', () => {
  const { account, advance, lines, totals } = accountWith(10);
  for (let i = 0; i < 8; i += 1) account.ended(end, () => line);
  expect(lines).toHaveLength(5); // 10 a second over 2 workers
  expect(totals().linesDropped).toBe(3);
  expect(totals().listeners[0]?.protocols[0]?.ended).toEqual({ client_gone: 8 });
  advance(1000);
  account.ended(end, () => line);
  expect(lines).toHaveLength(6);
});

test('above level info there is no line, and none is counted as dropped', () => {
  const { account, lines, totals } = accountWith(10, 'warn');
  account.ended(end, () => line);
  expect(lines).toEqual([]);
  expect(totals().linesDropped).toBe(0);
});
