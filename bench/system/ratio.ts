/**
 * One build's cost to another's, from rounds in which both ran one after the other: the median of the rounds' ratios,
 * and how certain that is. Whatever slows the machine down for longer than a round falls out.
 */
import { median } from './report.js';

export interface Ratio {
  readonly median: number;
  /** It lies between them, in 95 cases of 100; with fewer than six rounds: the lowest and the highest. */
  readonly low: number;
  readonly high: number;
  readonly rounds: number;
}

/** What one build may be slower by. */
export const tolerance = 0.02;
const certainty = 0.95;

/** `ours[n]` and `theirs[n]` are of the same round. */
export function ratioOf(ours: readonly number[], theirs: readonly number[]): Ratio {
  const ratios = ours.map((cost, round) => cost / (theirs[round] as number)).sort((a, b) => a - b);
  const rounds = ratios.length;
  const cut = cutOff(rounds);
  return {
    median: median(ratios),
    low: ratios[cut] ?? NaN,
    high: ratios[rounds - 1 - cut] ?? NaN,
    rounds,
  };
}

/** Which ratios, from either end, lie outside: each is above the true median as often as a coin shows heads. */
function cutOff(rounds: number): number {
  let outside = 0;
  // As a logarithm: with many rounds the first are too small for a number.
  let logChance = -rounds * Math.LN2;
  for (let cut = 0; cut < rounds / 2; cut += 1) {
    outside += 2 * Math.exp(logChance);
    if (outside > 1 - certainty) return Math.max(0, cut - 1);
    logChance += Math.log((rounds - cut) / (cut + 1));
  }
  return 0;
}

export type Verdict = 'slower' | 'not slower' | 'uncertain';

export function verdictOf({ low, high, rounds }: Ratio): Verdict {
  if (rounds < 6) return 'uncertain';
  if (low > 1 + tolerance) return 'slower';
  return high < 1 + tolerance ? 'not slower' : 'uncertain';
}

/** Rounds after which the median is certain to half the tolerance: four times as many halve the doubt. */
export function roundsFor({ low, high, rounds }: Ratio): number {
  const doubt = (high - low) / 2;
  return Math.max(6, Math.round(rounds * (doubt / (tolerance / 2)) ** 2));
}

export function ratioText(ratio: Ratio): string {
  const { median, low, high, rounds } = ratio;
  const percent = `${tolerance * 100} %`;
  const verdicts: Record<Verdict, string> = {
    slower: `slower by more than ${percent}`,
    'not slower': `not slower by more than ${percent}`,
    uncertain: `to say whether it is slower by ${percent} about ${roundsFor(ratio)} rounds are needed`,
  };
  const figures = `${median.toFixed(3)} (${low.toFixed(3)}–${high.toFixed(3)}, ${rounds} rounds)`;
  return `anyport to beside: ${figures}: ${verdicts[verdictOf(ratio)]}`;
}
