/** A table a workload, and one of what is to be reached. */
import { type Ratio, ratioOf } from '../system/ratio.js';
import { align, median } from '../system/report.js';
import { OURS, type OurName, RIVAL, RIVAL_1P } from './contenders.js';
import type { Run } from './measure.js';
import { type FigureName, figures, type Goal, type Workload } from './workloads.js';

/** Contender → its runs, a round each; in the order of the table's rows. */
export type Results = ReadonlyMap<string, readonly Run[]>;

export type Verdict = 'held' | 'not shown' | 'broken';

/** More is better. */
const isGain = (figure: FigureName): boolean => figure === 'goodput';

export function verdictOf(figure: FigureName, { low, high }: Ratio, bound: number): Verdict {
  const [best, worst] = isGain(figure) ? [high, low] : [low, high];
  const reaches = (value: number) => (isGain(figure) ? value >= bound : value <= bound);
  if (reaches(worst)) return 'held';
  return reaches(best) ? 'not shown' : 'broken';
}

/** A value a round; none where anything was wrong. */
function valuesOf(runs: readonly Run[] = [], figure: FigureName): number[] {
  if (runs.some(({ fault }) => fault !== null)) return [];
  return runs.map((run) => run.figures[figure]).filter((value) => value !== undefined);
}

function ratioTo(results: Results, name: string, rival: string, figure: FigureName): Ratio | null {
  const [ours, theirs] = [name, rival].map((each) => valuesOf(results.get(each), figure));
  return ours?.length && ours.length === theirs?.length ? ratioOf(ours, theirs) : null;
}

const figuresOf = (results: Results): FigureName[] =>
  (Object.keys(figures) as FigureName[]).filter((figure) =>
    [...results.values()].some((runs) => runs.some((run) => run.figures[figure] !== undefined)),
  );

export function table(workload: Workload, results: Results): string {
  const columns = figuresOf(results);
  const head = ['', ...columns.map((figure) => figures[figure].label), 'longest stall, ms', 'wrong'];
  const rows = [...results].map(([name, runs]) => [
    name,
    ...columns.map((figure) => spread(valuesOf(runs, figure), figures[figure].digits)),
    `${Math.round(Math.max(...runs.map(({ longestMs }) => longestMs)))}`,
    wrongOf(runs),
  ]);
  return [`${workload.name}: ${workload.why}`, ...align([head, ...rows]), ...faultsOf(results)].join('\n');
}

function spread(values: readonly number[], digits: number): string {
  if (values.length === 0) return '–';
  const [low, high] = [Math.min(...values), Math.max(...values)].map((value) => value.toFixed(digits));
  return `${median(values).toFixed(digits)} (${low}–${high})`;
}

/** Runs that failed or stood still; the rest of the sentence is in `faultsOf`. */
function wrongOf(runs: readonly Run[]): string {
  const failed = runs.filter(({ fault }) => fault !== null).length;
  const stalls = runs.reduce((sum, run) => sum + run.stalls, 0);
  const overrun = runs.reduce((sum, run) => sum + run.overrun, 0);
  const told = [
    ...(failed > 0 ? [`${failed} of ${runs.length} failed`] : []),
    ...(stalls > 0 ? [`${stalls} stalled`] : []),
    ...(overrun > 0 ? [`${overrun} lost beside the wire`] : []),
  ];
  return told.join(', ') || '0';
}

const faultsOf = (results: Results): string[] =>
  [...results].flatMap(([name, runs]) =>
    runs.flatMap(({ fault }, round) => (fault === null ? [] : [`  ${name}, round ${round + 1}: ${fault}`])),
  );

/** Of one goal, or of what must never happen, for one of ours. */
export interface Outcome {
  readonly cells: readonly string[];
  readonly broken: boolean;
}

export function outcomesOf(workload: Workload, results: Results): Outcome[] {
  const reached = workload.goals.flatMap((goal) =>
    goal.ours.filter((name) => results.has(name)).map((name) => outcomeOf(workload, goal, name, results)),
  );
  return [...reached, ...whole(workload, results)];
}

function outcomeOf(workload: Workload, goal: Goal, name: OurName, results: Results): Outcome {
  const { figure, must, target, stretch } = goal;
  const reached =
    goal.of === 'ratio' ? ratioTo(results, name, RIVAL, figure) : ownValue(results, name, figure);
  const best = ratioTo(results, name, RIVAL_1P, figure);
  const verdicts = [must, target, stretch].map((bound) =>
    reached === null ? 'not shown' : verdictOf(figure, reached, bound),
  );
  return {
    cells: [
      `${workload.name}, ${figures[figure].label}`,
      name,
      text(reached),
      text(best),
      ...[must, target, stretch].map((bound, index) => `${bound}: ${verdicts[index]}`),
    ],
    broken: verdicts[0] === 'broken',
  };
}

function ownValue(results: Results, name: string, figure: FigureName): Ratio | null {
  const values = valuesOf(results.get(name), figure);
  const ones = values.map(() => 1);
  return values.length === 0 ? null : ratioOf(values, ones);
}

const text = (ratio: Ratio | null): string =>
  ratio === null ? '–' : `${ratio.median.toFixed(2)} (${ratio.low.toFixed(2)}–${ratio.high.toFixed(2)})`;

/** Every transfer came, and none stood still. */
function whole(workload: Workload, results: Results): Outcome[] {
  const ours = [...results].filter(([name]) => OURS.some((each) => each === name));
  return ours.map(([name, runs]) => {
    const complete = runs.filter(({ fault }) => fault === null).length;
    const stalls = runs.reduce((sum, run) => sum + run.stalls, 0);
    const verdict = complete === runs.length && stalls === 0 ? 'held' : 'broken';
    const said = `${complete} of ${runs.length}, ${stalls} stalls`;
    return {
      cells: [`${workload.name}, complete`, name, said, '', `all, 0: ${verdict}`, '', ''],
      broken: verdict === 'broken',
    };
  });
}

export function summary(outcomes: readonly Outcome[]): string {
  const head = ['', 'ours', 'reached', `to ${RIVAL_1P}`, 'must', 'target', 'stretch'];
  const what = `Ratios to ${RIVAL} in the same round (CPU, goodput), or values. Median, 95 % confidence.`;
  return [what, ...align([head, ...outcomes.map(({ cells }) => cells)])].join('\n');
}
