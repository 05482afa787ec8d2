/** What normal sessions noticed of an attack: ratios of attacked to quiet runs, beside the bounds that are to hold. */
import { type Ratio, ratioOf } from '../system/ratio.js';
import { align, median } from '../system/report.js';
import type { Attack } from './attacks.js';
import type { Noticed } from './noticed.js';

export interface Outcome {
  readonly attack: Attack;
  readonly cpu: Ratio;
  readonly ping: Ratio;
  readonly session: Ratio;
  readonly lost: number;
  readonly attackRate: number;
  readonly keptBytes: number;
  /** What is certainly above its bound. */
  readonly broken: readonly string[];
}

const MIB = 1 << 20;

export function outcomeOf(
  attack: Attack,
  quiet: readonly Noticed[],
  attacked: readonly Noticed[],
  keptBytes: number,
): Outcome {
  const ratio = (figure: (noticed: Noticed) => number): Ratio =>
    ratioOf(attacked.map(figure), quiet.map(figure));
  const ratios = {
    cpu: ratio(({ cpuNanoseconds }) => cpuNanoseconds),
    ping: ratio(({ pingP99Us }) => pingP99Us),
    session: ratio(({ sessionP99Us }) => sessionP99Us),
  };
  const { goal = Number.POSITIVE_INFINITY, keptMax = Number.POSITIVE_INFINITY } = attack;
  const broken = Object.entries(ratios).flatMap(([name, { low }]) => (low > goal ? [name] : []));
  return {
    attack,
    ...ratios,
    lost: median(attacked.map(({ lost }) => lost)),
    attackRate: median(attacked.map(({ attackRate }) => attackRate)),
    keptBytes,
    broken: [...broken, ...(keptBytes > keptMax ? ['memory'] : [])],
  };
}

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
  const { attack, attackRate, cpu, ping, session, lost, keptBytes } = outcome;
  return [
    attack.name,
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

function boundsText({ attack: { goal, keptMax }, broken }: Outcome): string {
  const bounds = [
    ...(goal === undefined ? [] : [`${goal}`]),
    ...(keptMax === undefined ? [] : [`${keptMax / MIB} MiB`]),
  ];
  if (bounds.length === 0) return '–';
  return `${bounds.join(', ')}: ${broken.length === 0 ? 'not broken' : `broken by ${broken.join(', ')}`}`;
}
