/** A route prepared for sessions: its tests by what they read, and those that are left at a place. */
import type { PlanRoute, PlanTarget } from '../model/plan.js';
import { notAll } from './answers.js';
import { type Key, type Place, type Test, UNDECIDED } from './condition.js';
import { createOwnTests, excludedBy, type RouteTest } from './conditions/index.js';
import type { Keyed } from './lookup.js';
import { meetingPlace, placeAnswer, type Whereabouts } from './place.js';

export type Routed =
  /** `route` is an index into `Plan.routes`. */
  | { readonly kind: 'to'; readonly target: PlanTarget; readonly route: number }
  /** Undecided: ask again with further facts. */
  | { readonly kind: 'more' }
  | { readonly kind: 'none' }
  /** Fail closed: the route needs facts that are unreadable. */
  | { readonly kind: 'refuse'; readonly route: number };

/** Conditions that hold together: those of a route, or of one set that it excludes. */
interface Part {
  readonly place: Place;
  /** Tests of source and clock: decided before the first byte. They never answer `more`. */
  readonly early: readonly Test[];
  readonly facts: readonly Test[];
}

/** A route at a place, and the tests that decide there. */
export interface Candidate extends Keyed {
  readonly answer: Routed;
  readonly refusal: Routed;
  readonly tests: readonly Test[];
  readonly readsFacts: boolean;
  /** It names protocols, and asks what their TLS hello says. */
  readonly asksHello: boolean;
}

export interface PreparedRoute {
  readonly target: PlanTarget;
  readonly own: Part;
  /** `not`: of these sets none may hold. */
  readonly excluded: readonly Part[];
  /** Where its place is given and it excludes nothing. */
  readonly plain: Candidate;
}

/** Of routes that Plans have in common. */
const prepared = new WeakMap<PlanRoute, PreparedRoute>();

/** `order`: its position in the Plan. Most of the work of making a table; a long one is made in slices. */
export function prepareRoute(route: PlanRoute, order: number): PreparedRoute {
  const known = prepared.get(route);
  if (known?.plain.order === order) return known;
  const made = make(route, order);
  prepared.set(route, made);
  return made;
}

function make(route: PlanRoute, order: number): PreparedRoute {
  const tests = createOwnTests(route.when);
  const own = partOf(tests);
  const excluded = excludedBy(route.when).map(createOwnTests);
  return {
    target: route.to,
    own,
    excluded: excluded.map(partOf),
    plain: {
      order,
      keys: tests.flatMap(({ key }): readonly Key[] => (key === null ? [] : [key])),
      answer: { kind: 'to', target: route.to, route: order },
      refusal: { kind: 'refuse', route: order },
      tests: [...own.early, ...own.facts],
      readsFacts: own.facts.length > 0,
      asksHello: own.place.protocols !== undefined && [tests, ...excluded].flat().some(isOfHello),
    },
  };
}

const isOfHello = ({ name }: RouteTest): boolean => name === 'sni' || name === 'alpn';

function partOf(tests: readonly RouteTest[]): Part {
  const reading = (part: string) => tests.filter(({ reads }) => reads === part).map(({ test }) => test);
  return {
    place: meetingPlace(tests.flatMap(({ place }) => place ?? [])),
    early: [...reading('source'), ...reading('clock')],
    facts: reading('facts'),
  };
}

/**
 * Null: it takes no session of that listener and protocol. A protocol that is not `accepted` there counts as unknown, but
 * for what is excluded: `not: { protocol: ssh }` never takes SSH.
 */
export function candidateAt(
  { own, excluded, plain }: PreparedRoute,
  { listener, protocol, accepted }: Required<Whereabouts>,
): Candidate | null {
  const known = accepted.includes(protocol) ? protocol : -1;
  if (placeAnswer(own.place, { listener, protocol: known }) !== 'yes') return null;
  if (excluded.length === 0) return plain;
  const near = excluded.filter(({ place }) => placeAnswer(place, { listener, protocol }) === 'yes');
  if (near.some(isEverything)) return null;
  return {
    ...plain,
    tests: [...plain.tests, ...near.map(({ early, facts }) => notAll([...early, ...facts]))],
    readsFacts: plain.readsFacts || near.some(({ facts }) => facts.length > 0),
  };
}

const isEverything = ({ early, facts }: Part): boolean => early.length === 0 && facts.length === 0;

// ---- before the first byte

const undecided: Test = () => 'more';

/** A route of which nothing but source and clock is asked; what only bytes decide is `more`. */
export interface EarlyCandidate extends Candidate {
  /** Whether it can hold. */
  readonly mayHold: boolean;
  /** Whether the answer depends on the session. */
  readonly varies: boolean;
}

/**
 * `where`: with the protocol undecided. `awaitsFacts`: its target needs bytes, whatever its conditions. Null: it takes no
 * session there, whatever the bytes.
 */
export function earlyCandidateAt(
  route: PreparedRoute,
  where: Whereabouts,
  awaitsFacts: boolean,
): EarlyCandidate | null {
  const { plain } = route;
  const own = earlyPart(route.own, where);
  const anyProtocol = { listener: where.listener, protocol: UNDECIDED };
  const near = route.excluded.flatMap((part) => earlyPart(part, anyProtocol) ?? []);
  if (own === null || near.some(({ tests }) => tests.length === 0)) return null;
  return {
    ...plain,
    keys: plain.keys.filter(({ kind }) => kind === 'source'),
    tests: [...own.tests, ...near.map(({ tests }) => notAll(tests)), ...(awaitsFacts ? [undecided] : [])],
    readsFacts: false,
    mayHold: !awaitsFacts && own.isWhole && near.every(({ varies }) => varies),
    varies: own.varies || near.some(({ varies }) => varies),
  };
}

interface EarlyPart {
  readonly tests: readonly Test[];
  /** All of its conditions are among the tests. */
  readonly isWhole: boolean;
  readonly varies: boolean;
}

/** Null: it holds nowhere there. */
function earlyPart({ place, early, facts }: Part, where: Whereabouts): EarlyPart | null {
  const answer = placeAnswer(place, where);
  if (answer === 'no') return null;
  const isWhole = answer === 'yes' && facts.length === 0;
  return { tests: isWhole ? early : [...early, undecided], isWhole, varies: early.length > 0 };
}
