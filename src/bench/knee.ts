/** The knee of a ladder: the load up to which what comes is carried, and latency has not run away. Pure. */
import type { Run } from './result.js';

/** Of what is offered: arrivals are at random, so a short run has some more or less than it should. */
const CARRIED_MIN = 0.95;
/** p99, in that of the least load. */
const SLOWER_MAX = 10;

/** Of steps in ascending order; null: even the least load is beyond it. */
export function kneeOf(steps: readonly Run[]): Run | null {
  const [least] = steps;
  if (least?.latency == null) return null;
  const p99Max = least.latency.p99 * SLOWER_MAX;
  const beyond = steps.findIndex(({ offered, perSecond, latency, unfinished }) => {
    const isCarried = perSecond >= (offered ?? 0) * CARRIED_MIN && unfinished === 0;
    return !isCarried || latency === null || latency.p99 > p99Max;
  });
  return (beyond < 0 ? steps.at(-1) : steps[beyond - 1]) ?? null;
}

export const KNEE_WORDS = `the highest load of which ${CARRIED_MIN * 100} % are carried, with a p99 of at most ${SLOWER_MAX} times that of the least load`;
