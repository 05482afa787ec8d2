/**
 * The route of a session: the first whose conditions all hold. Conditions on listener and protocol are evaluated once
 * per pair; of the remaining routes, those that the lookup finds by names and address are tested in order.
 */

import { acceptedBy } from '../model/accepted.js';
import type { Plan } from '../model/plan.js';
import { all } from './answers.js';
import { type AwaitsFacts, createEarlyRoutes } from './at-accept.js';
import type { RouteSession } from './condition.js';
import { Lookup } from './lookup.js';
import { type Candidate, candidateAt, type PreparedRoute, prepareRoute, type Routed } from './prepared.js';

export interface RouteTable {
  route(session: RouteSession): Routed;
  /** Whether any route for this listener and protocol reads facts. */
  needsFacts(listener: number, protocol: number): boolean;
  /** Whether a route names the protocol and asks what its TLS hello says. */
  asksHello(listener: number, protocol: number): boolean;
  /** Whether a route of this listener can be decided before the first byte. */
  decidesAtAccept(listener: number): boolean;
  /**
   * The route of a session of which no byte has been read, null where bytes decide. It is the one that `route` finds,
   * whatever protocol and facts they give.
   */
  routeAtAccept(session: RouteSession): (Routed & { kind: 'to' }) | null;
}

/** Routes of one listener and protocol. */
interface Choice {
  readonly lookup: Lookup<Candidate>;
  readonly needsFacts: boolean;
  readonly asksHello: boolean;
}

const MORE: Routed = { kind: 'more' };
const NONE: Routed = { kind: 'none' };

function ask(candidate: Candidate, session: RouteSession): Routed {
  switch (all(candidate.tests, session)) {
    case 'yes':
      return candidate.answer;
    case 'no':
      return NONE;
    case 'more':
      return MORE;
    case 'refuse':
      return candidate.refusal;
  }
}

function firstOfOne(list: readonly Candidate[], session: RouteSession): Routed {
  for (const candidate of list) {
    const routed = ask(candidate, session);
    if (routed !== NONE) return routed;
  }
  return NONE;
}

/** Merges sorted `lists`; returns the first answer other than none. */
function firstOf(lists: readonly (readonly Candidate[])[], session: RouteSession): Routed {
  const [only] = lists;
  if (only !== undefined && lists.length === 1) return firstOfOne(only, session);
  const next = lists.map(() => 0);
  for (;;) {
    let first: Candidate | undefined;
    let from = 0;
    for (let list = 0; list < lists.length; list += 1) {
      const candidate = lists[list]?.[next[list] ?? 0];
      if (candidate === undefined || (first !== undefined && first.order <= candidate.order)) continue;
      first = candidate;
      from = list;
    }
    if (first === undefined) return NONE;
    const routed = ask(first, session);
    if (routed !== NONE) return routed;
    next[from] = (next[from] ?? 0) + 1;
  }
}

export const createRouteTable = (plan: Plan, awaitsFacts: AwaitsFacts = () => false): RouteTable =>
  tableOf(plan, plan.routes.map(prepareRoute), awaitsFacts);

/** `routes`: those of the Plan, prepared. */
export function tableOf(
  { listeners, protocols }: Plan,
  routes: readonly PreparedRoute[],
  awaitsFacts: AwaitsFacts,
): RouteTable {
  const namedListeners = new Set(routes.flatMap(namedBy));
  const ids = protocols.length + 1;
  const excludesProtocols = routes.some(({ excluded }) => excluded.some(({ place }) => place.protocols));
  /** By listener and protocol; listeners that no route names share theirs. */
  const choices: (Choice | undefined)[] = [];
  const shared = new Map<number, Choice>();

  function choiceAt(listener: number, protocol: number): Choice {
    const accepted = acceptedBy(listeners[listener]);
    const candidates = routes.flatMap((route) => candidateAt(route, { listener, protocol, accepted }) ?? []);
    return {
      lookup: new Lookup(candidates),
      needsFacts: candidates.some(({ readsFacts }) => readsFacts),
      asksHello: candidates.some(({ asksHello }) => asksHello),
    };
  }

  function collect(listener: number, protocol: number): Choice {
    const isAccepted = acceptedBy(listeners[listener]).includes(protocol);
    // Told apart from unknown ones only where a route excludes protocols.
    const asked = isAccepted || excludesProtocols ? protocol : -1;
    if (namedListeners.has(listener)) return choiceAt(listener, asked);
    const key = 2 * (asked + 1) + Number(isAccepted);
    const choice = shared.get(key) ?? choiceAt(listener, asked);
    shared.set(key, choice);
    return choice;
  }

  function choiceOf(listener: number, protocol: number): Choice {
    const index = listener * ids + protocol + 1;
    choices[index] ??= collect(listener, protocol);
    return choices[index];
  }

  const earlyRoutes = createEarlyRoutes(listeners, routes, namedListeners, awaitsFacts);

  return {
    route: (session) => firstOf(choiceOf(session.listener, session.protocol).lookup.find(session), session),
    needsFacts: (listener, protocol) => choiceOf(listener, protocol).needsFacts,
    asksHello: (listener, protocol) => choiceOf(listener, protocol).asksHello,
    decidesAtAccept: (listener) => earlyRoutes(listener) !== null,
    routeAtAccept(session) {
      const early = earlyRoutes(session.listener);
      const routed = early === null ? NONE : firstOf(early.find(session), session);
      return routed.kind === 'to' ? routed : null;
    },
  };
}

/** Listeners on which it depends whether the route holds. */
const namedBy = ({ own, excluded }: PreparedRoute): readonly number[] =>
  [own, ...excluded].flatMap(({ place }) => place.listeners ?? []);
