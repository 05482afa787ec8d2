/**
 * Which route a session takes: the first whose conditions all hold. Listener and protocol are settled when a
 * list of candidates is made, so that the common session is one array look-up; the rest is asked in order.
 */
import type { Plan, PlanRoute, PlanTarget } from '../model/plan.js';
import type { Answer, RouteSession, Test } from './condition.js';
import { createTests } from './conditions/index.js';

export type Routed =
  /** `route` is an index into `Plan.routes`. */
  | { readonly kind: 'to'; readonly target: PlanTarget; readonly route: number }
  /** Ask again with further facts. */
  | { readonly kind: 'more' }
  | { readonly kind: 'none' }
  /** Fail closed: a rule needs facts that can not be read. */
  | { readonly kind: 'refuse' };

export interface RouteTable {
  route(session: RouteSession): Routed;
  /** Whether any route that sessions of this kind may take looks at facts. */
  needsFacts(listener: number, protocol: number): boolean;
}

/** A route that a session of a given listener and protocol may take, with what is left to ask. */
interface Candidate {
  readonly answer: Routed;
  readonly sourceTests: readonly Test[];
  readonly factTests: readonly Test[];
}

type PreparedRoute = Candidate & { readonly placeTests: readonly Test[] };

const MORE: Routed = { kind: 'more' };
const NONE: Routed = { kind: 'none' };
const REFUSE: Routed = { kind: 'refuse' };

function prepare(route: PlanRoute, index: number): PreparedRoute {
  const tests = createTests(route.when);
  const reading = (part: string) => tests.filter(({ reads }) => reads === part).map(({ test }) => test);
  return {
    answer: { kind: 'to', target: route.to, route: index },
    placeTests: reading('place'),
    sourceTests: reading('source'),
    factTests: reading('facts'),
  };
}

/** One `no` settles it, whatever the others still wait for. */
function all(tests: readonly Test[], session: RouteSession): Answer {
  let answer: Answer = 'yes';
  for (const test of tests) {
    const one = test(session);
    if (one === 'no') return 'no';
    // What is on its way may still be a `no`.
    if (one === 'more' || (one === 'refuse' && answer === 'yes')) answer = one;
  }
  return answer;
}

function ask(candidate: Candidate, session: RouteSession): Routed {
  if (all(candidate.sourceTests, session) !== 'yes') return NONE;
  if (candidate.factTests.length === 0) return candidate.answer;
  if (session.broken) return REFUSE;
  const answer = all(candidate.factTests, session);
  if (answer === 'yes') return candidate.answer;
  if (answer === 'refuse') return REFUSE;
  return answer === 'more' ? MORE : NONE;
}

export function createRouteTable(plan: Plan): RouteTable {
  const routes = plan.routes.map(prepare);
  const places = plan.protocols.length + 1;
  const candidates: (readonly Candidate[] | undefined)[] = [];

  function collect(listener: number, protocol: number): readonly Candidate[] {
    // A protocol that this listener does not accept is as good as none: its routes are not for these sessions.
    const accepted = plan.listeners[listener]?.protocols.includes(protocol) ? protocol : -1;
    const place = { listener, protocol: accepted, source: '', facts: {}, factsComplete: true, broken: false };
    return routes.filter(({ placeTests }) => all(placeTests, place) === 'yes');
  }

  function candidatesOf(listener: number, protocol: number): readonly Candidate[] {
    const place = listener * places + protocol + 1;
    candidates[place] ??= collect(listener, protocol);
    return candidates[place];
  }

  return {
    route(session) {
      for (const candidate of candidatesOf(session.listener, session.protocol)) {
        const routed = ask(candidate, session);
        if (routed !== NONE) return routed;
      }
      return NONE;
    },
    needsFacts: (listener, protocol) =>
      candidatesOf(listener, protocol).some(({ factTests }) => factTests.length > 0),
  };
}
