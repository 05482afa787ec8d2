/** Prints medians, spreads and ratios as plain tables of at most 100 columns. */
import { BESIDE, OURS } from './contenders/anyport.js';
import { FLOOR } from './contenders/floor.js';
import { rivals } from './contenders/index.js';
import type { Run } from './measure.js';
import { type Ratio, ratioOf } from './ratio.js';
import { align, costsOf, median, rounded } from './report.js';
import type { Workload } from './workloads.js';

/** Contender → runs, a round each, in the order of the table's rows. */
export type Results = ReadonlyMap<string, readonly Run[]>;

/** What came of one workload. */
export interface Comparison {
  readonly workload: Workload;
  readonly results: Results;
  /** Contender without figures → why it has none, as a relative clause. */
  readonly absent: ReadonlyMap<string, string>;
}

/** Ratios to these are in the table of each workload. */
const MEASURES: readonly string[] = ['HAProxy', FLOOR];

const QUANTILES = ['p50', 'p99'] as const;

export function table({ workload, results, absent }: Comparison): string {
  const { label, divisor } = workload.quote;
  const measures = MEASURES.filter((name) => costsOf(results.get(name)).length > 0);
  const quantiles = QUANTILES.filter((name) => [...results.values()].some(([run]) => run?.quantiles?.[name]));
  const head = [
    '',
    `${label} per ${workload.unit}`,
    ...measures.map((name) => `to ${name}`),
    'per second',
    ...quantiles,
  ];
  const rows = [...results].map(([name, runs]) => [
    name,
    costText(costsOf(runs), divisor),
    ...measures.map((measure) => ratioText(ratioTo(results, name, measure))),
    rounded(median(runs.map(({ rate }) => rate))),
    ...quantiles.map((name) => rounded(median(runs.map((run) => (run.quantiles?.[name] ?? NaN) / divisor)))),
  ]);
  const without = [...absent].map(([name, why]) => `without ${name}, which ${why}`);
  const goals = goalsOf({ workload, results, absent }).map(
    ([, what, figure, goal, verdict]) => `${what}: ${figure}, ${goal}: ${verdict}`,
  );
  return [`${workload.name}: ${workload.why}`, ...align([head, ...rows]), ...without, ...goals].join('\n');
}

/** Each row has the ratios of anyport to the others in one workload. */
export function summary(comparisons: readonly Comparison[]): string {
  const others = [BESIDE, ...rivals.map(({ name }) => name)].filter((name) =>
    comparisons.some(({ results }) => costsOf(results.get(name)).length > 0),
  );
  const rows = comparisons.map(({ workload, results }) => [
    workload.name,
    ...others.map((name) => ratioText(ratioTo(results, OURS, name), MEASURES.includes(name))),
  ]);
  const what = `${OURS} to the others: median of the rounds (lowest–highest; 95 % confidence of 9 rounds and more)`;
  const goals = align(comparisons.flatMap(goalsOf));
  return [what, ...align([['', ...others], ...rows]), ...(goals.length > 0 ? ['', ...goals] : [])].join('\n');
}

/** A goal is not missed by less than is shown. */
const GOAL_DIGITS = 3;

/** Of each goal: workload, what of anyport, its figure, the goal, whether the median reaches it. */
function goalsOf({ workload: { name, goals = [], quote, unit }, results }: Comparison): string[][] {
  return goals.flatMap(({ to, atMost }) => {
    const costs = costsOf(results.get(OURS));
    const ratio = to === undefined ? null : ratioTo(results, OURS, to);
    if (to === undefined ? costs.length === 0 : ratio === null) return [];
    const reached = (ratio?.median ?? median(costs) / quote.divisor) <= atMost;
    return [
      [
        name,
        to === undefined ? `${quote.label} per ${unit} of ${OURS}` : `${OURS} to ${to}`,
        to === undefined ? costText(costs, quote.divisor) : ratioText(ratio, true, GOAL_DIGITS),
        `at most ${atMost}`,
        reached ? 'reached' : 'missed',
      ],
    ];
  });
}

/** All runs, and the ratios of anyport, for a file. */
export function figuresOf({ workload, results, absent }: Comparison) {
  const { name, why, unit, way } = workload;
  const names = [...results.keys()];
  const ratios = names.map((other) => [other, ratioTo(results, OURS, other)]).filter(([, ratio]) => ratio);
  return {
    ...{ name, why, unit, measured: way },
    runs: Object.fromEntries(results),
    ratios: Object.fromEntries(ratios),
    absent: Object.fromEntries(absent),
  };
}

/** Of the rounds in which both ran; null: one of both has no costs, or too small ones for the clock of its start. */
export function ratioTo(results: Results, name: string, other: string): Ratio | null {
  const [ours, theirs] = [costsOf(results.get(name)), costsOf(results.get(other))];
  const rounds = Math.min(ours.length, theirs.length);
  if (rounds === 0 || theirs.includes(0)) return null;
  return ratioOf(ours.slice(0, rounds), theirs.slice(0, rounds));
}

function ratioText(ratio: Ratio | null, hasSpread = true, digits = 2): string {
  if (ratio === null) return '–';
  const [middle, low, high] = [ratio.median, ratio.low, ratio.high].map((value) => value.toFixed(digits));
  return hasSpread ? `${middle} (${low}–${high})` : `${middle}`;
}

function costText(costs: readonly number[], divisor: number): string {
  if (costs.length === 0) return '–';
  const [middle, low, high] = [median(costs), Math.min(...costs), Math.max(...costs)].map((cost) =>
    rounded(cost / divisor),
  );
  return `${middle} (${low}–${high})`;
}
