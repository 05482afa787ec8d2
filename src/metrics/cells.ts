/** The cells of each metric in a row. A row holds all metrics of one scope for one tuple of ids. */
import {
  type CountedMetric,
  entryOf,
  type MetricEntry,
  type MetricName,
  metricNames,
  type Scope,
} from './catalog.js';

/** Counted metric → offset of its first cell in the row. */
export const cellOf = {} as Readonly<Record<CountedMetric, number>>;

/** Scope → cells per row. */
export const rowCells = {} as Readonly<Record<Scope, number>>;

/** Counted histogram → upper bounds of its buckets in seconds. */
export const bucketsOf = {} as Readonly<Record<string, readonly number[]>>;

/** Histogram: one cell per bucket, plus `+Inf` and the sum. Closed label: one per value. Otherwise one. */
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
