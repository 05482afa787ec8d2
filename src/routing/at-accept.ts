/** Routes that may take a session before its first byte, for each listener. */

import { acceptedBy } from '../model/accepted.js';
import type { PlanListener, PlanTarget } from '../model/plan.js';
import { UNDECIDED } from './condition.js';
import { Lookup } from './lookup.js';
import type { Whereabouts } from './place.js';
import { type EarlyCandidate, earlyCandidateAt, type PreparedRoute } from './prepared.js';

/** Null: on this listener bytes decide about every session. */
export type EarlyRoutes = (listener: number) => Lookup<EarlyCandidate> | null;

/** Whether the endpoints of a target are chosen by what clients say, so that bytes must be there first. */
export type AwaitsFacts = (target: PlanTarget) => boolean;

/** `named`: listeners on which it depends whether some route holds; the others share what they have in common. */
export function createEarlyRoutes(
  listeners: readonly PlanListener[],
  routes: readonly PreparedRoute[],
  named: ReadonlySet<number>,
  awaitsFacts: AwaitsFacts,
): EarlyRoutes {
  const known: (Lookup<EarlyCandidate> | null)[] = [];
  const shared = new Map<string, Lookup<EarlyCandidate> | null>();
  return (listener) => {
    const found = known[listener];
    if (found !== undefined) return found;
    const accepted = acceptedBy(listeners[listener]);
    const key = named.has(listener) ? '' : accepted.join();
    const same = key === '' ? undefined : shared.get(key);
    const lookup = same === undefined ? lookupAt(routes, { listener, accepted }, awaitsFacts) : same;
    if (key !== '') shared.set(key, lookup);
    known[listener] = lookup;
    return lookup;
  };
}

type At = Required<Omit<Whereabouts, 'protocol'>>;

function lookupAt(
  routes: readonly PreparedRoute[],
  at: At,
  awaitsFacts: AwaitsFacts,
): Lookup<EarlyCandidate> | null {
  const candidates = candidatesAt(routes, at, awaitsFacts);
  const last = candidates.findLastIndex(({ mayHold }) => mayHold);
  return last < 0 ? null : new Lookup(candidates.slice(0, last + 1));
}

/** Up to the first whose answer is the same for every session: it never lets one by. */
function candidatesAt(routes: readonly PreparedRoute[], at: At, awaitsFacts: AwaitsFacts): EarlyCandidate[] {
  const where = { ...at, protocol: UNDECIDED };
  const candidates: EarlyCandidate[] = [];
  for (const route of routes) {
    const candidate = earlyCandidateAt(route, where, awaitsFacts(route.target));
    if (candidate === null) continue;
    candidates.push(candidate);
    if (!candidate.varies) break;
  }
  return candidates;
}
