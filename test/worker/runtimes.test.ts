import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Runtime } from '../../src/worker/runtime.js';
import { Runtimes } from '../../src/worker/runtimes.js';
import { planFor, upstream } from './plane.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Only its Plan is looked at. */
function runtimeOf(generation: number, silenceMs = 0): Runtime {
  const plan = planFor([upstream('a')], { generation });
  const onSilence = silenceMs === 0 ? null : { afterMs: silenceMs, to: { kind: 'upstream', upstream: 0 } };
  const listeners = plan.listeners.map((listener) => ({ ...listener, onSilence }));
  return { plan: { ...plan, listeners } } as unknown as Runtime;
}

test('a Plan that was replaced is kept until its sessions must have been shown', () => {
  const runtimes = new Runtimes();
  runtimes.add(runtimeOf(1));
  runtimes.add(runtimeOf(2));
  vi.advanceTimersByTime(10_000); // identify_timeout
  expect(runtimes.of(1).plan.generation).toBe(1);
  vi.advanceTimersByTime(60_000);
  expect(() => runtimes.of(1)).toThrow('Plan 1 is gone');
  expect(runtimes.of(2).plan.generation).toBe(2);
});

test('a silent session may be shown long after the identify deadline of others', () => {
  const runtimes = new Runtimes();
  runtimes.add(runtimeOf(1, 600_000));
  runtimes.add(runtimeOf(2));
  vi.advanceTimersByTime(600_000);
  expect(runtimes.of(1).plan.generation).toBe(1);
});
