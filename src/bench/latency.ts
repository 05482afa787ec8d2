/** Quantiles of durations that were counted in buckets (native/load/histogram.h). */

/** Ascending: the longest duration of a bucket in nanoseconds, and how many fell into it. */
export type Buckets = readonly (readonly [nanoseconds: number, count: number])[];

/** In microseconds; at most 1/128 too high, never too low. */
export interface Latency {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
  readonly count: number;
}

/** Null: nothing was counted. */
export function latencyOf(buckets: Buckets): Latency | null {
  const count = buckets.reduce((sum, [, many]) => sum + many, 0);
  if (count === 0) return null;
  const at = (share: number): number => quantile(buckets, Math.ceil(share * count)) / 1000;
  return { p50: at(0.5), p90: at(0.9), p99: at(0.99), p999: at(0.999), max: at(1), count };
}

/** The duration that `rank` of those counted do not exceed. */
function quantile(buckets: Buckets, rank: number): number {
  let passed = 0;
  for (const [nanoseconds, count] of buckets) {
    passed += count;
    if (passed >= rank) return nanoseconds;
  }
  return buckets.at(-1)?.[0] ?? 0;
}
