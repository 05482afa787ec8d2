/**
 * The route of a session: the first whose conditions all hold. Conditions on listener and protocol are evaluated once
 * per pair; of the remaining routes, those that the lookup finds by names and address are tested in order.
 */
import type { Plan, PlanRoute, PlanTarget } from '../model/plan.js';
import type { Answer, Place, RouteSession, Test } from './condition.js';
import { createTests, placeOf } from './conditions/index.js';
import { type Keyed, Lookup } from './lookup.js';
import { isAt } from './place.js';

export type Routed =
  /** `route` is an index into `Plan.routes`. */
  | { readonly kind: 'to'; readonly target: PlanTarget; readonly route: number }
  /** Undecided: ask again with further facts. */
  | { readonly kind: 'more' }
  | { readonly kind: 'none' }
  /** Fail closed: the route needs facts that are unreadable. */
  | { readonly kind: 'refuse'; readonly route: number };

export interface RouteTable {
  route(session: RouteSession): Routed;
  /** Whether any route for this listener and protocol reads facts. */
  needsFacts(listener: number, protocol: number): boolean;
}

/** A route and its remaining tests once listener and protocol are known. */
export interface PreparedRoute extends Keyed {
  readonly answer: Routed;
  readonly refusal: Routed;
  readonly place: Place;
  /** Tests of the source (which never answer `more`), then of facts. */
  readonly tests: readonly Test[];
  readonly readsFacts: boolean;
}

/** PreparedRoute routes of one listener and protocol. */
interface Choice {
  readonly lookup: Lookup<PreparedRoute>;
  readonly needsFacts: boolean;
}

const MORE: Routed = { kind: 'more' };
const NONE: Routed = { kind: 'none' };

/** `order`: its position in the Plan. Most of the work of making a table; a long one is made in slices. */
export function prepareRoute(route: PlanRoute, order: number): PreparedRoute {
  const tests = createTests(route.when);
  const reading = (part: string) => tests.filter(({ reads }) => reads === part).map(({ test }) => test);
  const factTests = reading('facts');
  return {
    order,
    keys: tests.flatMap(({ key }) => key ?? []),
    answer: { kind: 'to', target: route.to, route: order },
    refusal: { kind: 'refuse', route: order },
    place: placeOf(route.when),
    tests: [...reading('source'), ...factTests],
    readsFacts: factTests.length > 0,
  };
}

/** One `no` decides, even if others are undecided; `more` outweighs `refuse`, since it may become `no`. */
function all(tests: readonly Test[], session: RouteSession): Answer {
  let answer: Answer = 'yes';
  for (const test of tests) {
    const one = test(session);
    if (one === 'no') return one;
    if (one !== 'yes' && answer !== 'more') answer = one;
  }
  return answer;
}

function ask(candidate: PreparedRoute, session: RouteSession): Routed {
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

function firstOfOne(list: readonly PreparedRoute[], session: RouteSession): Routed {
  for (const candidate of list) {
    const routed = ask(candidate, session);
    if (routed !== NONE) return routed;
  }
  return NONE;
}

/** Merges sorted `lists`; returns the first answer other than none. */
function firstOf(lists: readonly (readonly PreparedRoute[])[], session: RouteSession): Routed {
  const [only] = lists;
  if (only !== undefined && lists.length === 1) return firstOfOne(only, session);
  const next = lists.map(() => 0);
  for (;;) {
    let first: PreparedRoute | undefined;
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

export const createRouteTable = (plan: Plan): RouteTable => tableOf(plan, plan.routes.map(prepareRoute));

/** `routes`: those of the Plan, prepared. */
export function tableOf({ listeners, protocols }: Plan, routes: readonly PreparedRoute[]): RouteTable {
  const namedListeners = new Set(routes.flatMap(({ place }) => place.listeners ?? []));
  const ids = protocols.length + 1;
  /** By listener and protocol; listeners that no route names share theirs. */
  const choices: (Choice | undefined)[] = [];
  const shared = new Map<number, Choice>();

  function choiceAt(listener: number, protocol: number): Choice {
    const candidates = routes.filter(({ place }) => isAt(place, listener, protocol));
    return {
      lookup: new Lookup(candidates),
      needsFacts: candidates.some(({ readsFacts }) => readsFacts),
    };
  }

  function collect(listener: number, protocol: number): Choice {
    // A protocol that the listener does not accept counts as unknown: its routes do not apply.
    const accepted = listeners[listener]?.protocols.includes(protocol) ? protocol : -1;
    if (namedListeners.has(listener)) return choiceAt(listener, accepted);
    const choice = shared.get(accepted) ?? choiceAt(listener, accepted);
    shared.set(accepted, choice);
    return choice;
  }

  function choiceOf(listener: number, protocol: number): Choice {
    const index = listener * ids + protocol + 1;
    choices[index] ??= collect(listener, protocol);
    return choices[index];
  }

  return {
    route: (session) => firstOf(choiceOf(session.listener, session.protocol).lookup.find(session), session),
    needsFacts: (listener, protocol) => choiceOf(listener, protocol).needsFacts,
  };
}
