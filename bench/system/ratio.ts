/**
 * Ratio of two builds' costs, from rounds in which both ran in turn: the median of the rounds' ratios and its
 * confidence interval. Slowdowns of the machine that last longer than a round cancel out.
 */
import { median } from './report.js';

export interface Ratio {
  readonly median: number;
  /** 95 % confidence interval of the median; with fewer than six rounds, minimum and maximum. */
  readonly low: number;
  readonly high: number;
  readonly rounds: number;
}

/** Slowdown that is accepted. */
export const tolerance = 0.02;
const certainty = 0.95;

/** `ours[n]` and `theirs[n]` belong to the same round. */
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

/** Number of ratios to cut at either end (sign test: each is above the true median with probability 1/2). */
function cutOff(rounds: number): number {
  let outside = 0;
  // Logarithm, because with many rounds the first probabilities underflow.
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

/** Estimated rounds for an interval of half the tolerance; its width falls with the square root of the rounds. */
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
