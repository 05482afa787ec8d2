import { expect, test } from 'vitest';
import { latencyOf } from '../../src/bench/latency.js';

test('quantiles of what was counted in buckets', () => {
  const buckets = [
    [1_000, 50],
    [2_000, 40],
    [4_000, 9],
    [8_000, 1],
  ] as const;
  expect(latencyOf(buckets)).toEqual({ p50: 1, p90: 2, p99: 4, p999: 8, max: 8, count: 100 });
});

test('one duration is every quantile; none has none', () => {
  expect(latencyOf([[3_000, 1]])).toMatchObject({ p50: 3, p999: 3, max: 3, count: 1 });
  expect(latencyOf([])).toBeNull();
});
