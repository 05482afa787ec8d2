/** Prints medians, spreads and ratios as a plain table. */
import { cpus, release } from 'node:os';
import type { Run } from './measure.js';
import type { Workload } from './workloads.js';

/** Contender → runs, in the order of the table's rows. */
export type Results = ReadonlyMap<string, readonly Run[]>;

export function heading(versions: Readonly<Record<string, string>>): string {
  const [cpu] = cpus();
  const machine = `${cpus().length} × ${cpu?.model.trim() ?? 'unknown CPU'}, Linux ${release()}`;
  const programs = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return [machine, programs.join(', '), `${new Date().toISOString()}  npm run bench`].join('\n');
}

export function table(workload: Workload, results: Results): string {
  const rival = median(costsOf(results.get('HAProxy')));
  const { label, divisor } = workload.quote;
  const rows = [...results].map(([name, runs]) => row(name, runs, rival, divisor));
  const head = ['', `${label} per ${workload.unit}`, 'lowest–highest', 'to HAProxy', 'per second'];
  return [`${workload.name}: ${workload.why}`, ...align([head, ...rows])].join('\n');
}

function row(name: string, runs: readonly Run[], rival: number, divisor: number): string[] {
  const all = costsOf(runs);
  const rate = rounded(median(runs.map((run) => run.rate)));
  if (all.length === 0) return [name, '–', '–', '–', rate];
  const cost = median(all);
  const spread = `${rounded(Math.min(...all) / divisor)}–${rounded(Math.max(...all) / divisor)}`;
  return [name, rounded(cost / divisor), spread, Number.isNaN(rival) ? '–' : (cost / rival).toFixed(2), rate];
}

/** One cost per round; none without a proxy. */
export const costsOf = (runs: readonly Run[] = []): number[] =>
  runs.map((run) => run.cost).filter((cost) => cost !== null);

/** NaN without values. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.floor(middle)] ?? NaN) + (sorted[Math.ceil(middle) - 1] ?? NaN)) / 2;
}

const rounded = (value: number): string => {
  if (Number.isNaN(value)) return '–';
  return Math.abs(value) >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(3);
};

/** First column to the left, the others to the right. */
export function align(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  '),
  );
}
