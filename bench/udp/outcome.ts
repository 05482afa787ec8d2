/** A table a workload, and one of what is to be reached. */
import { type Faults, faultNames, faultsText } from '../../test/support/exchange.js';
import { type Ratio, ratioOf } from '../system/ratio.js';
import { align, median } from '../system/report.js';
import { FLOORS, OURS, RIVAL } from './contenders.js';
import type { Run } from './measure.js';
import { quotes, type Targets, type Workload } from './workloads.js';

/** Contender → its runs, a round each; in the order of the table's rows. */
export type Results = ReadonlyMap<string, readonly Run[]>;

export type Verdict = 'held' | 'not shown' | 'broken';

export function verdictOf({ low, high }: Ratio, bound: number): Verdict {
  if (high <= bound) return 'held';
  return low > bound ? 'broken' : 'not shown';
}

const faultsOf = (runs: readonly Run[]): Faults =>
  Object.fromEntries(
    faultNames.map((name) => [name, runs.reduce((sum, { faults }) => sum + faults[name], 0)]),
  ) as Faults;

/** A cost a round; none without a relay, or where something was wrong. */
export function costsOf(runs: readonly Run[] = []): number[] {
  if (faultsText(faultsOf(runs)) !== '') return [];
  return runs.map(({ cost }) => cost).filter((cost) => cost !== null);
}

/** Beside nginx, of the same rounds; null where one of both has no figures. */
export function toRival(results: Results, name: string): Ratio | null {
  const [ours, theirs] = [costsOf(results.get(name)), costsOf(results.get(RIVAL))];
  return ours.length > 0 && ours.length === theirs.length ? ratioOf(ours, theirs) : null;
}

export function table(workload: Workload, results: Results): string {
  const { label } = quotes[workload.way];
  const head = ['', label, 'lowest–highest', 'to nginx', 'per second', 'of its core', 'wrong'];
  const rows = [...results].map(([name, runs]) => row(name, runs, workload, toRival(results, name)));
  return [`${workload.name}: ${workload.why}`, ...align([head, ...rows])].join('\n');
}

function row(name: string, runs: readonly Run[], { way }: Workload, ratio: Ratio | null): string[] {
  const { divisor } = quotes[way];
  const costs = costsOf(runs).map((cost) => cost / divisor);
  const busy = runs.map((run) => run.busy).filter((share) => share !== null);
  return [
    name,
    costs.length === 0 ? '–' : rounded(median(costs)),
    costs.length === 0 ? '–' : `${rounded(Math.min(...costs))}–${rounded(Math.max(...costs))}`,
    ratio === null || way === 'rest' ? '–' : ratioText(ratio),
    Math.round(median(runs.map(({ rate }) => rate))).toLocaleString('en'),
    busy.length === 0 ? '–' : `${Math.round(median(busy) * 100)} %`,
    faultsText(faultsOf(runs)) || '0',
  ];
}

const ratioText = ({ median: middle, low, high }: Ratio): string =>
  `${middle.toFixed(2)} (${low.toFixed(2)}–${high.toFixed(2)})`;

function rounded(value: number): string {
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en');
  return Math.abs(value) < 0.1 ? value.toFixed(3) : value.toPrecision(3);
}

/** Of one of ours in one workload. */
export interface Outcome {
  readonly name: string;
  readonly figure: string;
  readonly floors: readonly string[];
  readonly faults: string;
  readonly bounds: readonly string[];
  readonly broken: boolean;
}

export function outcomesOf(workload: Workload, results: Results): Outcome[] {
  return OURS.filter((name) => results.has(name)).map((name) => outcomeOf(name, workload, results));
}

function outcomeOf(name: string, workload: Workload, results: Results): Outcome {
  const { targets } = workload;
  const faults = faultsText(faultsOf(results.get(name) ?? []));
  const figure = figureOf(name, targets, results);
  const text = (ratio: Ratio | null) => (ratio === null ? '–' : ratioText(ratio));
  const bounds = targets === undefined ? [] : [targets.must, targets.target, targets.stretch];
  const verdict = (bound: number) => (figure === null ? 'not shown' : verdictOf(figure, bound));
  return {
    name: name === OURS[0] ? workload.name : `${workload.name}, ${name}`,
    figure: text(figure),
    floors: FLOORS.map((floor) => text(figureOf(floor, targets, results))),
    faults: faults || '0',
    bounds: bounds.map((bound) => `${bound}: ${verdict(bound)}`),
    broken: faults !== '' || bounds.slice(0, 1).some((bound) => verdict(bound) === 'broken'),
  };
}

function figureOf(name: string, targets: Targets | undefined, results: Results): Ratio | null {
  if (targets?.of !== 'value') return toRival(results, name);
  const costs = costsOf(results.get(name));
  return costs.length === 0
    ? null
    : ratioOf(
        costs,
        costs.map(() => 1),
      );
}

export function summary(outcomes: readonly Outcome[]): string {
  const head = ['', 'anyport', ...FLOORS, 'wrong', 'must', 'target', 'stretch'];
  const rows = outcomes.map(({ name, figure, floors, faults, bounds }) => {
    const [must = '–', target = '–', stretch = '–'] = bounds;
    return [name, figure, ...floors, faults, must, target, stretch];
  });
  const what = 'Ratios to nginx in the same round; idle: bytes; rest: % of a core. Median, 95 % confidence.';
  return [what, ...align([head, ...rows])].join('\n');
}
