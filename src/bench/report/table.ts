/** The table that is printed: a row for each case. */
import { bytesText, countText } from '../../base/figures.js';
import type { Report } from '../bench.js';
import { headroomOf, type Result, type Run, rateOf } from '../result.js';

interface Column {
  readonly head: string;
  readonly cell: (result: Result) => string;
  /** Only where results differ in it. */
  readonly varies?: true;
}

const NOTHING = '–';

const columns: readonly Column[] = [
  { head: 'workload', cell: ({ workload }) => workload },
  { head: 'connections', cell: ({ connections }) => countText(connections) },
  { head: 'size', cell: ({ bytes }) => (bytes === 0 ? NOTHING : bytesText(bytes)), varies: true },
  { head: 'workers', cell: ({ workers }) => String(workers), varies: true },
  { head: 'accept', cell: ({ accept }) => accept, varies: true },
  { head: 'per second', cell: (result) => rateText(result, result.full) },
  { head: 'direct', cell: (result) => rateText(result, result.direct) },
  { head: 'times', cell: timesText },
  { head: 'CPU each', cell: cpuText },
  { head: 'spread', cell: spreadText, varies: true },
  { head: 'p50', cell: latencyText('p50') },
  { head: 'p90', cell: latencyText('p90') },
  { head: 'p99', cell: latencyText('p99') },
  { head: 'p99.9', cell: latencyText('p999') },
  {
    head: 'memory each',
    cell: ({ memory }) => (memory ? bytesText(Math.round(memory.perSession)) : NOTHING),
  },
];

export const tableText = (report: Report): string => `${aligned(tableRows(report)).join('\n')}\n`;

/** The first row is the heads of the columns. */
export function tableRows({ results }: Report): string[][] {
  const shown = columns.filter(({ varies, cell }) => !varies || new Set(results.map(cell)).size > 1);
  return [shown.map(({ head }) => head), ...results.map((result) => shown.map(({ cell }) => cell(result)))];
}

/** First column to the left, the others to the right. */
export function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  const pad = (cell: string, at: number) =>
    at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0);
  return rows.map((row) => row.map(pad).join('  ').trimEnd());
}

export function rateText(result: Pick<Result, 'measures'>, run: Run | null): string {
  if (run === null) return NOTHING;
  const rate = rateOf(result, run);
  return result.measures === 'bytes' ? `${rate.toFixed(2)} GB` : countText(Math.round(rate));
}

function timesText(result: Result): string {
  const headroom = headroomOf(result);
  return headroom === null ? NOTHING : headroom.toFixed(1);
}

function cpuText({ full, unit }: Result): string {
  if (full?.cpuPerUnit == null) return NOTHING;
  return unit === 'GB'
    ? `${Math.round(full.cpuPerUnit / 1e6)} ms`
    : `${(full.cpuPerUnit / 1e3).toFixed(1)} µs`;
}

/** Of the rounds, the cheapest and the dearest. */
function spreadText({ rounds, unit }: Result): string {
  if (rounds.length < 2) return NOTHING;
  const costs = rounds.map(({ cpuPerUnit }) => (cpuPerUnit ?? 0) / (unit === 'GB' ? 1e6 : 1e3));
  const text = (cost: number): string => (unit === 'GB' ? `${Math.round(cost)}` : cost.toFixed(1));
  return `${text(Math.min(...costs))}–${text(Math.max(...costs))}`;
}

function latencyText(quantile: 'p50' | 'p90' | 'p99' | 'p999') {
  return ({ half }: Result): string =>
    half?.latency == null ? NOTHING : microsecondsText(half.latency[quantile]);
}

export function microsecondsText(microseconds: number): string {
  if (microseconds < 1000) return `${Math.round(microseconds)} µs`;
  const ms = microseconds / 1000;
  return ms < 100 ? `${ms.toPrecision(3)} ms` : `${Math.round(ms)} ms`;
}

/** Without digits that say nothing: `1 ms`. */
export const latencyTick = (microseconds: number): string =>
  microsecondsText(microseconds)
    .replace(/(\.\d*?)0+ /, '$1 ')
    .replace('. ', ' ');
