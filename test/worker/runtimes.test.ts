import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Runtime } from '../../src/worker/runtime.js';
import { Runtimes, type RuntimesParts } from '../../src/worker/runtimes.js';
import { planFor, upstream } from './plane.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Only its Plan is used. */
const runtimeOf = (generation: number): Runtime =>
  ({ plan: planFor([upstream('a')], { generation }) }) as unknown as Runtime;

const HOUR_MS = 3_600_000;

const runtimesWith = (parts: Partial<RuntimesParts>): Runtimes =>
  new Runtimes({ inUse: () => false, forgotten() {}, collect() {}, ...parts });

test('a Plan that was replaced is kept for as long as a session began with it, and no longer', () => {
  const inUse = new Set([1]);
  const runtimes = runtimesWith({ inUse: (generation) => inUse.has(generation) });
  for (const generation of [1, 2, 3]) runtimes.add(runtimeOf(generation));
  vi.advanceTimersByTime(24 * HOUR_MS); // a suspended process, or a long session
  expect(runtimes.of(1).plan.generation).toBe(1);
  expect(() => runtimes.of(2)).toThrow('Plan 2 is gone');
  inUse.delete(1);
  vi.advanceTimersByTime(HOUR_MS);
  expect(() => runtimes.of(1)).toThrow('Plan 1 is gone');
  expect(runtimes.of(3).plan.generation).toBe(3);
  expect(vi.getTimerCount()).toBe(0);
});

test('nothing is asked before a Plan is replaced', () => {
  const runtimes = runtimesWith({});
  runtimes.add(runtimeOf(1));
  expect(vi.getTimerCount()).toBe(0);
});

test('endpoints that no Plan has any more are forgotten with the last Plan that had them', () => {
  const inUse = new Set([1]);
  const told: number[][] = [];
  const runtimes = runtimesWith({
    inUse: (generation) => inUse.has(generation),
    forgotten: () => void told.push([...runtimes.endpoints()]),
  });
  const withEndpoints = (generation: number, ...ids: number[]) =>
    ({ plan: { generation, ids: { endpoints: [ids] } } }) as unknown as Runtime;
  runtimes.add(withEndpoints(1, 2, 3));
  runtimes.add(withEndpoints(2, 4));
  runtimes.add(withEndpoints(3, 3));
  vi.advanceTimersByTime(HOUR_MS);
  inUse.delete(1);
  vi.advanceTimersByTime(HOUR_MS);
  expect(told).toEqual([[2, 3], [3]]);
});

test('garbage is collected seldom while Plans change, and when they have come to rest, and when the last session has left one', () => {
  const inUse = new Set([1]);
  let collections = 0;
  const runtimes = runtimesWith({
    inUse: (generation) => inUse.has(generation),
    collect() {
      collections += 1;
    },
  });
  runtimes.add(runtimeOf(1));
  for (let generation = 2; generation < 100; generation += 1) {
    runtimes.add(runtimeOf(generation));
    vi.advanceTimersByTime(1000);
  }
  expect(collections).toBe(3);
  vi.advanceTimersByTime(HOUR_MS);
  expect(collections).toBe(4);
  inUse.delete(1);
  vi.advanceTimersByTime(HOUR_MS);
  expect(collections).toBe(5);
  expect(vi.getTimerCount()).toBe(0);
});
