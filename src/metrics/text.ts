/** Totals and figures → the Prometheus text of every metric in the catalog. */
import { NONE, OTHER } from '../model/ids.js';
import {
  type CountedMetric,
  catalog,
  entryOf,
  type MetricEntry,
  type MetricName,
  metricNames,
  type Scope,
  type ScopeOf,
} from './catalog.js';
import { cellOf, closedLabelsOf } from './cells.js';
import { escapedLabel, type Totals, type TotalsRow } from './totals.js';

type PrimaryMetric = {
  [M in MetricName]: ScopeOf<M> extends 'primary' ? M : never;
}[MetricName];

export interface LabelledFigure {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Value; with labels, or several of them, if the catalog row names some. */
export type Figure = number | LabelledFigure | readonly LabelledFigure[];

/** Values from the primary. For a metric that workers also count, its value is added to theirs. */
export type Figures = Readonly<Record<PrimaryMetric, Figure>> & {
  readonly [M in CountedMetric]?: ScopeOf<M> extends 'worker' ? number : never;
};

export function exposition(totals: Totals, figures: Figures): string {
  const lines: string[] = [];
  for (const metric of metricNames) {
    const { help, kind } = entryOf(metric);
    lines.push(`# HELP ${metric} ${help}`, `# TYPE ${metric} ${kind}`);
    if (isCounted(metric)) writeCounted(lines, metric, totals, figures);
    else lines.push(...figureLines(metric, figures[metric]));
  }
  lines.push('');
  return lines.join('\n');
}

function isCounted(metric: MetricName): metric is CountedMetric {
  return catalog[metric].scope !== 'primary';
}

function figureLines(metric: PrimaryMetric, figure: Figure): string[] {
  if (typeof figure === 'number') return [`${metric} ${figure}`];
  const all = 'value' in figure ? [figure] : figure;
  return all.map(({ labels, value }) => {
    const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escapedLabel(text)}"`);
    return `${metric}{${pairs.join(',')}} ${value}`;
  });
}

function writeCounted(lines: string[], metric: CountedMetric, totals: Totals, figures: Figures): void {
  const entry = entryOf(metric);
  const scope = entry.scope as Scope;
  const labels = labelTexts(entry);
  for (const row of totals[scope]) {
    if (entry.buckets !== undefined) writeHistogram(lines, metric, entry.buckets, row);
    else if (entry.by !== undefined) writeByLabel(lines, metric, labels, row);
    else writePlain(lines, metric, row, (figures[metric] as number | undefined) ?? 0);
  }
}

/**
 * Most combinations of thousands of listeners and protocols never occur: a counter is written when above 0, a gauge
 * when its row has counted anything. Metrics without ids and those per listener are
 * always written, unless only some listeners have them (`where`); so are a listener's sessions without a protocol, since
 * an autoscaler takes a missing series for an unknown load.
 */
function writePlain(lines: string[], metric: CountedMetric, row: TotalsRow, known: number): void {
  const { kind, scope, where }: MetricEntry = catalog[metric];
  const value = (row.cells[cellOf[metric]] as number) + known;
  if (where !== undefined && value === 0 && row.cells[cellOf[where as CountedMetric]] === 0) return;
  const ofListener =
    scope === 'listener' || (scope === 'listener_protocol' && kind === 'gauge' && row.second === NONE);
  const always = scope === 'worker' || (ofListener && row.first !== OTHER);
  const shown = always || value !== 0 || (kind === 'gauge' && row.cells.some((cell) => cell !== 0));
  if (shown) lines.push(`${series(metric, row.labels)} ${value}`);
}

function writeByLabel(
  lines: string[],
  metric: CountedMetric,
  labels: readonly string[],
  row: TotalsRow,
): void {
  const always = catalog[metric].scope === 'worker';
  for (let index = 0; index < labels.length; index += 1) {
    const value = row.cells[cellOf[metric] + index] as number;
    if (always || value > 0) lines.push(`${series(metric, row.labels, labels[index])} ${value}`);
  }
}

/** The text of the closed labels by cell: `tier="tiny",state="free"`. */
const labelTexts = (entry: MetricEntry): string[] =>
  closedLabelsOf(entry).map((labels) => labels.map(({ label, value }) => `${label}="${value}"`).join(','));

function writeHistogram(
  lines: string[],
  metric: CountedMetric,
  bounds: readonly number[],
  { cells, labels, first }: TotalsRow,
): void {
  const begin = cellOf[metric];
  const counts = cells.subarray(begin, begin + bounds.length + 1);
  // No id: a histogram of the worker, which is always written.
  if (first !== NONE && !counts.some((count) => count > 0)) return;
  let count = 0;
  for (const [bucket, inBucket] of counts.entries()) {
    count += inBucket;
    lines.push(`${series(`${metric}_bucket`, labels, `le="${bounds[bucket] ?? '+Inf'}"`)} ${count}`);
  }
  lines.push(`${series(`${metric}_sum`, labels)} ${cells[begin + counts.length]}`);
  lines.push(`${series(`${metric}_count`, labels)} ${count}`);
}

function series(name: string, labels: string, further = ''): string {
  const all = labels !== '' && further !== '' ? `${labels},${further}` : labels + further;
  return all === '' ? name : `${name}{${all}}`;
}
