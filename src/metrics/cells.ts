/** Which cells of a row a metric has; a row is what is counted for one tuple of ids of a scope. */
import {
  type CountedMetric,
  catalog,
  entryOf,
  type MetricEntry,
  type MetricName,
  metricNames,
  type Scope,
  scopeNames,
} from './catalog.js';

/** Every metric that workers count → its first cell, from the beginning of its row. */
export const cellOf = {} as Readonly<Record<CountedMetric, number>>;

/** Cells of a row of each scope. */
export const rowCells = {} as Readonly<Record<Scope, number>>;

/** Every histogram that workers count → the upper bounds of its buckets, in seconds. */
export const bucketsOf = {} as Readonly<Record<string, readonly number[]>>;

/** The metrics of each scope, in their order. */
export const metricsOf = {} as Readonly<Record<Scope, readonly CountedMetric[]>>;

/** One a value of its label; one a bucket, and two for the bucket without a bound and the sum; or one. */
function cellsOf({ by, buckets }: MetricEntry): number {
  if (buckets !== undefined) return buckets.length + 2;
  return by?.values.length ?? 1;
}

for (const scope of scopeNames) {
  const inScope = (metric: MetricName): metric is CountedMetric => catalog[metric].scope === scope;
  const metrics = metricNames.filter(inScope);
  let cells = 0;
  for (const metric of metrics) {
    Object.assign(cellOf, { [metric]: cells });
    const { buckets } = entryOf(metric);
    if (buckets !== undefined) Object.assign(bucketsOf, { [metric]: buckets });
    cells += cellsOf(entryOf(metric));
  }
  Object.assign(metricsOf, { [scope]: metrics });
  Object.assign(rowCells, { [scope]: cells });
}
