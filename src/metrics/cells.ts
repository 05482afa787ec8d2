/** Which cells of a row a metric has; a row is what is counted for one tuple of ids of a scope. */
import {
  type CountedMetric,
  entryOf,
  type MetricEntry,
  type MetricName,
  metricNames,
  type Scope,
} from './catalog.js';

/** Every metric that workers count → its first cell, from the beginning of its row. */
export const cellOf = {} as Readonly<Record<CountedMetric, number>>;

/** Cells of a row of each scope. */
export const rowCells = {} as Readonly<Record<Scope, number>>;

/** Every histogram that workers count → the upper bounds of its buckets, in seconds. */
export const bucketsOf = {} as Readonly<Record<string, readonly number[]>>;

/** One a value of its label; one a bucket, and two for the bucket without a bound and the sum; or one. */
function cellsOf({ by, buckets }: MetricEntry): number {
  if (buckets !== undefined) return buckets.length + 2;
  return by?.values.length ?? 1;
}

function place(metric: MetricName, cells: Record<string, number>): void {
  const entry = entryOf(metric);
  if (entry.scope === 'primary') return;
  const first = cells[entry.scope] ?? 0;
  cells[entry.scope] = first + cellsOf(entry);
  Object.assign(cellOf, { [metric]: first });
  if (entry.buckets !== undefined) Object.assign(bucketsOf, { [metric]: entry.buckets });
}

for (const metric of metricNames) place(metric, rowCells);
