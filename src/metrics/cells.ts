/** The cells of each metric in a row. A row holds all metrics of one scope for one tuple of ids. */
import {
  type ClosedLabel,
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

/** A closed label with one of its values. */
interface LabelValue {
  readonly label: string;
  readonly value: string;
}

/** The closed labels of each cell of a metric without buckets; one cell without labels if it has none. */
export function closedLabelsOf({ by, and }: MetricEntry): LabelValue[][] {
  const valuesOf = (closed: ClosedLabel | undefined): LabelValue[][] =>
    closed === undefined ? [[]] : closed.values.map((value) => [{ label: closed.label, value }]);
  return valuesOf(by).flatMap((first) => valuesOf(and).map((second) => [...first, ...second]));
}

/** Histogram: one cell per bucket, plus `+Inf` and the sum. Else one per value or pair of closed labels. */
function cellsOf(entry: MetricEntry): number {
  return entry.buckets === undefined ? closedLabelsOf(entry).length : entry.buckets.length + 2;
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
