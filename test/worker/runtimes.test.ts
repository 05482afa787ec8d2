import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Runtime } from '../../src/worker/runtime.js';
import { Runtimes } from '../../src/worker/runtimes.js';
import { planFor, upstream } from './plane.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Only its Plan is used. */
const runtimeOf = (generation: number): Runtime =>
  ({ plan: planFor([upstream('a')], { generation }) }) as unknown as Runtime;

const HOUR_MS = 3_600_000;

test('a Plan that was replaced is kept for as long as a session began with it, and no longer', () => {
  const inUse = new Set([1]);
  const runtimes = new Runtimes(
    (generation) => inUse.has(generation),
    () => {},
  );
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
  const runtimes = new Runtimes(
    () => false,
    () => {},
  );
  runtimes.add(runtimeOf(1));
  expect(vi.getTimerCount()).toBe(0);
});

test('endpoints that no Plan has any more are forgotten with the last Plan that had them', () => {
  const inUse = new Set([1]);
  const told: number[][] = [];
  const runtimes = new Runtimes(
    (generation) => inUse.has(generation),
    () => told.push([...runtimes.endpoints()]),
  );
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
