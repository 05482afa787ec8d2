/** What normal sessions noticed of an attack: ratios of attacked to quiet runs, beside the bounds that are to hold. */
import { type Ratio, ratioOf } from '../system/ratio.js';
import { align, median } from '../system/report.js';
import { type Attack, refusalGoal } from './attacks.js';
import type { Noticed } from './noticed.js';

/** What was measured of an attack, a value a round. */
export interface Rounds {
  readonly quiet: readonly Noticed[];
  readonly attacked: readonly Noticed[];
  /** CPU nanoseconds per refused connection; only of floods. */
  readonly refusals: readonly number[];
  readonly keptBytes: number;
}

export interface Outcome {
  readonly name: string;
  readonly attack: Attack;
  readonly cpu: Ratio;
  readonly ping: Ratio;
  readonly session: Ratio;
  readonly lost: number;
  readonly attackRate: number;
  readonly keptBytes: number;
  /** What is certainly above its bound. */
  readonly broken: readonly string[];
  /** What may be above it: its interval has the bound. */
  readonly open: readonly string[];
}

const MIB = 1 << 20;

export function outcomeOf(name: string, attack: Attack, rounds: Rounds): Outcome {
  const { quiet, attacked, keptBytes } = rounds;
  const ratio = (figure: (noticed: Noticed, round: number) => number): Ratio =>
    ratioOf(attacked.map(figure), quiet.map(figure));
  const ratios = {
    cpu: ratio((noticed, round) => cpuPerSession(noticed, rounds.refusals[round] ?? 0)),
    ping: ratio(({ pingP99Us }) => pingP99Us),
    session: ratio(({ sessionP99Us }) => sessionP99Us),
  };
  const { goal = Number.POSITIVE_INFINITY, keptMax = Number.POSITIVE_INFINITY } = attack;
  const bounded = Object.entries(ratios);
  const broken = bounded.flatMap(([what, { low }]) => (low > goal ? [what] : []));
  const open = bounded.flatMap(([what, { low, high }]) => (low <= goal && high > goal ? [what] : []));
  return {
    name,
    attack,
    ...ratios,
    lost: median(attacked.map(({ lost }) => lost)),
    attackRate: median(attacked.map(({ attackRate }) => attackRate)),
    keptBytes,
    broken: [...broken, ...(keptBytes > keptMax ? ['memory'] : [])],
    open,
  };
}

/** Attackers of a flood count with what each costs alone: their number is as large as the machine lets it be. */
const cpuPerSession = ({ cpuNanoseconds, sessions, attackers }: Noticed, refusal: number): number =>
  (cpuNanoseconds - attackers * refusal) / sessions;

export function table(outcomes: readonly Outcome[]): string {
  const head = [
    'attack',
    'attackers/s',
    'CPU per session',
    'p99 of round trips',
    'p99 of sessions',
    'refused',
    'MiB kept',
    'bounds',
  ];
  return align([head, ...outcomes.map(row)]).join('\n');
}

function row(outcome: Outcome): string[] {
  const { name, attack, attackRate, cpu, ping, session, lost, keptBytes } = outcome;
  return [
    name,
    Math.round(attackRate).toLocaleString('en'),
    attack.refuses ? '–' : ratioText(cpu), // of a few sessions, between all that are refused
    ratioText(ping),
    ratioText(session),
    lost === 0 ? '0' : `${(lost * 100).toFixed(1)} %`,
    (keptBytes / MIB).toFixed(1),
    boundsText(outcome),
  ];
}

const ratioText = ({ median: middle, low, high }: Ratio): string =>
  `${middle.toFixed(2)} (${low.toFixed(2)}–${high.toFixed(2)})`;

function boundsText({ attack: { goal, keptMax }, broken, open }: Outcome): string {
  const bounds = [
    ...(goal === undefined ? [] : [`${goal}`]),
    ...(keptMax === undefined ? [] : [`${keptMax / MIB} MiB`]),
  ];
  if (bounds.length === 0) return '–';
  const found = [
    ...(broken.length === 0 ? [] : [`broken by ${broken.join(', ')}`]),
    ...(open.length === 0 ? [] : [`not shown for ${open.join(', ')}`]),
  ];
  return `${bounds.join(', ')}: ${found.length === 0 ? 'held' : found.join('; ')}`;
}

/** What a refused connection costs, beside HAProxy. */
export function refusalText(
  name: string,
  ours: readonly number[],
  theirs: readonly number[],
  floor: readonly number[],
): string {
  const micros = (costs: readonly number[]) =>
    `${(median(costs) / 1e3).toFixed(2)} µs (${(Math.min(...costs) / 1e3).toFixed(2)}–${(Math.max(...costs) / 1e3).toFixed(2)})`;
  const mine = `${name}: CPU per refused connection ${micros(ours)}; of a program that looks at nothing ${micros(floor)}`;
  if (theirs.length === 0) return mine;
  return `${mine}; HAProxy ${micros(theirs)}; ratio ${ratioText(ratioOf(ours, theirs))}, goal ${refusalGoal}`;
}
