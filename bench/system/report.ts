/** What the tables of all benchmarks are made with. */
import { cpus, release } from 'node:os';
import type { Run } from './measure.js';

export function heading(versions: Readonly<Record<string, string>>): string {
  const [cpu] = cpus();
  const machine = `${cpus().length} × ${cpu?.model.trim() ?? 'unknown CPU'}, Linux ${release()}`;
  const programs = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return [machine, programs.join(', '), `${new Date().toISOString()}  npm run bench`].join('\n');
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

export const rounded = (value: number): string => {
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
