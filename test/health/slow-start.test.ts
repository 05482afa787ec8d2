import { expect, test } from 'vitest';
import { SlowStart, shareAfter } from '../../src/health/slow-start.js';
import type { Plan } from '../../src/model/plan.js';

test('a twentieth at first, then in proportion to the time, and all of it at the end', () => {
  expect([0, 500, 5000, 9999, 10_000, 20_000].map((ms) => shareAfter(ms, 10_000))).toEqual([
    13, 13, 128, 255, 256, 256,
  ]);
});

function start(slow_start = 10_000) {
  const shares = new Map<number, number>();
  const time = { ms: 5_000_000 };
  let due: { at: number; run: () => void } | undefined;
  const clock = {
    nowMs: () => time.ms,
    after(ms: number, run: () => void) {
      due = { at: time.ms + ms, run };
      return () => {
        due = undefined;
      };
    },
  };
  const slow = new SlowStart({ clock, setShare: (id, share) => shares.set(id, share) });
  const pass = (ms: number) => {
    const end = time.ms + ms;
    while (due !== undefined && due.at <= end) {
      const { at, run } = due;
      [time.ms, due] = [at, undefined];
      run();
    }
    time.ms = end;
  };
  const follow = (endpoints: Record<number, object>) =>
    slow.follow({
      upstreams: [
        {
          options: { slow_start },
          endpoints: Object.values(endpoints).map((change) => ({
            ...{ state: 'up', weight: 1, addresses: [{ host: '10.0.0.1', port: 80 }] },
            ...change,
          })),
        },
      ],
      ids: { endpoints: [Object.keys(endpoints).map(Number)] },
    } as unknown as Plan);
  return { slow, shares, pass, follow, isWaiting: () => due !== undefined };
}

test('at the start all are whole; one that comes later rises', () => {
  const { shares, pass, follow, isWaiting } = start();
  follow({ 1: {}, 2: {} });
  expect(shares.size).toBe(0);
  follow({ 1: {}, 2: {}, 3: {} });
  expect([...shares]).toEqual([[3, 13]]);
  pass(5000);
  expect(shares.get(3)).toBe(128);
  pass(5000);
  expect(shares.get(3)).toBe(256);
  expect(isWaiting()).toBe(false);
});

test.each([
  { why: 'drained', change: { state: 'drain' } },
  { why: 'of weight 0', change: { weight: 0 } },
  { why: 'not resolved', change: { addresses: [] } },
])('one that was $why rises when it is back', ({ change }) => {
  const { shares, pass, follow } = start();
  follow({ 1: change, 2: {} });
  follow({ 1: {}, 2: {} });
  expect([...shares]).toEqual([[1, 13]]);
  pass(2000);
  follow({ 1: change, 2: {} });
  expect(shares.get(1)).toBe(256);
});

test('one that is well again rises, from the beginning each time', () => {
  const { slow, shares, pass, follow } = start();
  follow({ 1: {}, 2: {} });
  slow.rise(1);
  pass(6000);
  expect(shares.get(1)).toBeGreaterThan(140);
  slow.rise(1);
  expect(shares.get(1)).toBe(13);
});

test('without slow_start nothing is written', () => {
  const { slow, shares, follow } = start(0);
  follow({ 1: {} });
  follow({ 1: {}, 2: {} });
  slow.rise(1);
  expect(shares.size).toBe(0);
});
