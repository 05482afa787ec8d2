/** A table a workload, with the ratios to what a tunnel of ours is held against. */

import type { Run } from '../system/measure.js';
import { type Ratio, ratioOf } from '../system/ratio.js';
import { align, median } from '../system/report.js';
import type { Workload } from './workloads.js';

/** Contender → its runs, a round each. */
export type Results = ReadonlyMap<string, readonly Run[]>;

export type Verdict = 'held' | 'not shown' | 'broken';

/** With 95 % confidence. */
export function verdictOf({ low, high }: Ratio, bound: number): Verdict {
  if (high <= bound) return 'held';
  return low > bound ? 'broken' : 'not shown';
}

/** Null: one of both did not take part. */
export function goalRatio({ goal }: Workload, results: Results): Ratio | null {
  const [ours, theirs] = ['tunnel', goal.beside].map((name) => costsOf(results.get(name)));
  return ours?.length && ours.length === theirs?.length ? ratioOf(ours, theirs) : null;
}

const costsOf = (runs: readonly Run[] = []): number[] => runs.flatMap(({ cost }) => cost ?? []);

export function table(workload: Workload, results: Results): string {
  const { label, divisor } = workload.quote;
  const head = ['', `${label} per ${workload.unit}`, 'lowest–highest', 'per second'];
  const rows = [...results].map(([name, runs]) => {
    const costs = costsOf(runs).map((cost) => cost / divisor);
    const spread = `${rounded(Math.min(...costs))}–${rounded(Math.max(...costs))}`;
    return [name, rounded(median(costs)), spread, rounded(median(runs.map(({ rate }) => rate)))];
  });
  return [`${workload.name}: ${workload.why}`, ...align([head, ...rows]), goalText(workload, results)].join(
    '\n',
  );
}

function goalText(workload: Workload, results: Results): string {
  const { beside, bound } = workload.goal;
  const ratio = goalRatio(workload, results);
  if (ratio === null) return `tunnel to ${beside}: not measured`;
  const figures = `${ratio.median.toFixed(3)} (${ratio.low.toFixed(3)}–${ratio.high.toFixed(3)}, ${ratio.rounds} rounds)`;
  return `tunnel to ${beside}: ${figures}; at most ${bound}: ${verdictOf(ratio, bound)}`;
}

const rounded = (value: number): string =>
  Math.abs(value) >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(3);
