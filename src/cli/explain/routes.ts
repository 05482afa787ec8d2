/** The route that a session takes, and why each other one does not apply. */

import { listText } from '../../base/text.js';
import { acceptedBy } from '../../model/accepted.js';
import { CONNECT_PROXY } from '../../model/connect-proxy.js';
import type { FactsAnswer } from '../../model/facts.js';
import type { Conditions, Plan, PlanRoute, PlanTarget } from '../../model/plan.js';
import { withHeader } from '../../protocols/proxy-header.js';
import { type Answer, type Place, type RouteSession, UNDECIDED } from '../../routing/condition.js';
import {
  createOwnTests,
  createTests,
  excludedBy,
  type RouteTest,
  readsInOrder,
} from '../../routing/conditions/index.js';
import { explainRoute } from '../../routing/explain.js';
import { valuesOf } from '../../routing/values.js';
import { factsKnownBy } from '../../upstream/known-by.js';
import type { Taken } from './opening.js';
import type { Classified } from './protocols.js';

export interface RouteRow {
  readonly name: string;
  /** `FILE:LINE` where it is written; null for one that no file has. */
  readonly place: string | null;
  /** Conditions as in the configuration. */
  readonly when: Readonly<Record<string, string>>;
  readonly to: string;
  /** `shadowed`: holds, but an earlier route is taken. `refused`: needs facts that are unreadable. */
  readonly verdict: 'taken' | 'shadowed' | 'more' | 'refused' | 'no';
  /** Prefix length that decided it; 0: decided before the first byte. */
  readonly atByte: number;
  readonly why: string;
}

/** The session whose routes are explained. */
export interface Asked {
  readonly plan: Plan;
  readonly listener: number;
  readonly opening: Taken;
  readonly classified: Classified;
  /** Milliseconds since 1970. */
  readonly nowMs: number;
}

/**
 * `by`: the condition that fails or is undecided; `protocol`: no protocol is known, so no condition is tested; `upstream`: all
 * hold, and the upstream waits for what it knows clients by.
 */
interface Settled {
  readonly answer: Answer;
  readonly by: RouteTest | 'protocol' | 'upstream' | null;
  readonly at: number;
}

export function explainRoutes(asked: Asked): RouteRow[] {
  const tests = asked.plan.routes.map(({ when }) => createTests(when));
  const awaited = asked.plan.routes.map(({ to }) => factsAwaitedBy(asked.plan, to));
  const settled = tests.map((each, index) => settle(asked, each, awaited[index] ?? []));
  const first = settled.findIndex(({ answer }) => answer !== 'no');
  return asked.plan.routes.map((route, index) => ({
    ...described(asked.plan, route, tests[index] as RouteTest[]),
    atByte: settled[index]?.at ?? 0,
    ...verdictOf(asked, settled[index] as Settled, index, first, awaited[index] ?? []),
  }));
}

const described = (plan: Plan, { name, when, to }: PlanRoute, tests: readonly RouteTest[]) => ({
  name,
  place: null,
  when: whenText(plan, when, tests),
  to: targetText(plan, to),
});

/** Of a session whose route, `chosen`, is decided before its first byte. */
export function explainUnread(plan: Plan, session: RouteSession, chosen: number): RouteRow[] {
  const { [session.listener]: listener } = plan.listeners;
  const [accepted, name] = [acceptedBy(listener), listener?.name ?? ''];
  const first = plan.routes[chosen]?.name;
  return plan.routes.map((route, index) => {
    const tests = createTests(route.when);
    const { answer, by } = explainRoute(tests, session, accepted);
    const row = { ...described(plan, route, tests), atByte: 0 };
    if (index === chosen) return { ...row, verdict: 'taken', why: 'every condition holds, at accept' };
    if (answer !== 'no') return { ...row, verdict: 'shadowed', why: `${first} comes first, at accept` };
    return { ...row, verdict: 'no', why: unreadText(session, by, name) };
  });
}

function unreadText({ source, nowMs }: RouteSession, by: RouteTest | null, listener: string): string {
  switch (by?.name) {
    case 'not':
      return 'it is what `not` excludes';
    case 'protocol':
      return 'protocol is not accepted here';
    case 'source':
      return `source is ${source === '' ? 'not known' : source}`;
    case 'time':
      return `time is ${new Date(nowMs).toISOString()}`;
    default:
      return `listener is ${listener}`;
  }
}

/** As routes see it before the first byte. */
export const unreadSession = (
  listener: number,
  { source, facts, doubtful }: Taken,
  nowMs: number,
): RouteSession => ({
  listener,
  protocol: UNDECIDED,
  source,
  nowMs,
  facts,
  factsComplete: false,
  broken: false,
  doubtful,
});

/** Facts that the target's upstream knows clients by. */
export function factsAwaitedBy({ upstreams }: Plan, to: PlanTarget): readonly string[] {
  const upstream = to.kind === 'upstream' ? upstreams[to.upstream] : undefined;
  return upstream === undefined ? [] : factsKnownBy(upstream.options);
}

/** The upstream's name, or the closing. */
export function targetText({ upstreams }: Plan, to: PlanTarget): string {
  if (to.kind === 'proxy') return CONNECT_PROXY;
  return to.kind === 'end' ? to.closing : (upstreams[to.upstream]?.name ?? '');
}

function verdictOf(
  asked: Asked,
  { answer, by }: Settled,
  index: number,
  first: number,
  awaited: readonly string[],
): Pick<RouteRow, 'verdict' | 'why'> {
  const condition = typeof by === 'string' ? by : by?.name;
  const asking = condition === 'not' ? 'what `not` excludes' : condition;
  switch (answer) {
    case 'yes':
      return index === first
        ? { verdict: 'taken', why: 'every condition holds' }
        : { verdict: 'shadowed', why: `it holds, but ${asked.plan.routes[first]?.name} comes first` };
    case 'more':
      if (by !== 'upstream') return { verdict: 'more', why: `${asking} is not known yet` };
      return {
        verdict: 'more',
        why: `its upstream knows clients by ${listText(awaited, ' and ')}, which is not known yet`,
      };
    case 'refuse':
      return { verdict: 'refused', why: `${asking} can not be read for certain` };
    case 'no':
      if (condition === 'not') return { verdict: 'no', why: 'it is what `not` excludes' };
      return { verdict: 'no', why: `${condition} is ${valueText(asked, by)}` };
  }
}

// ---- the answer of a route, and the prefix length that decided it

function settle(asked: Asked, tests: readonly RouteTest[], awaited: readonly string[]): Settled {
  const { classified } = asked;
  if (classified.verdict === 'unknown')
    return { answer: 'no', by: 'protocol', at: at(asked, classified.decidedAt) };
  if (classified.verdict === 'match') return settleIdentified(asked, tests, awaited);
  const early = settleEarly(asked, tests);
  const isUpstreams = early.answer === 'more' && awaited.length > 0 && !tests.some(isOnProtocol);
  return isUpstreams ? { ...early, by: 'upstream' } : early;
}

const isTest = (by: Settled['by']): by is RouteTest => typeof by === 'object' && by !== null;

const isOnProtocol = ({ place }: RouteTest): boolean => place?.protocols !== undefined;

/** The protocol is undecided: only protocols that are ruled out can decide a route. */
function settleEarly(asked: Asked, tests: readonly RouteTest[]): Settled {
  const { listener, opening, nowMs } = asked;
  const others = tests.filter((test) => !isOnProtocol(test));
  const early = explainRoute(others, unreadSession(listener, opening, nowMs), acceptedIn(asked));
  if (early.answer === 'no' && early.by?.reads === 'place') return { ...early, at: 0 };
  const protocols = tests.find(isOnProtocol)?.place?.protocols;
  const rows = protocols?.map((index) => asked.classified.rows.get(index));
  if (rows?.every((row) => row === undefined || row.verdict === 'no')) {
    const last = Math.max(...rows.map((row) => row?.atByte ?? 0));
    return { answer: 'no', by: 'protocol', at: at(asked, last) };
  }
  if (early.answer === 'no') return { ...early, at: 0 };
  return { answer: 'more', by: 'protocol', at: at(asked, asked.opening.bytes.length) };
}

function settleIdentified(asked: Asked, tests: readonly RouteTest[], awaited: readonly string[]): Settled {
  const { opening, classified } = asked;
  const answerAt = (length: number): Omit<Settled, 'at'> => {
    const session = sessionOf(asked, classified.factsOf(opening.bytes.subarray(0, length)));
    const found = explainRoute(tests, session, acceptedIn(asked));
    const waits = !session.factsComplete && awaited.some((fact) => session.facts[fact] === undefined);
    return found.answer === 'yes' && waits ? { answer: 'more', by: 'upstream' } : found;
  };
  const last = answerAt(opening.bytes.length);
  if (isTest(last.by) && isOnProtocol(last.by)) {
    const rows = last.by.place?.protocols?.map((index) => classified.rows.get(index)) ?? [];
    const out = rows.map((row) => (row?.verdict === 'no' ? row.atByte : classified.decidedAt));
    return { ...last, at: at(asked, Math.max(...out)) };
  }
  if (isTest(last.by) && last.by.reads !== 'facts') return { ...last, at: 0 };
  if (last.answer === 'more') return { ...last, at: at(asked, opening.bytes.length) };
  // A datagram is read as a whole.
  const from = opening.transport === 'udp' ? opening.bytes.length : classified.decidedAt;
  return { ...last, at: at(asked, firstLength(from, opening.bytes.length, answerAt)) };
}

/** Shortest prefix that decides; binary search, because answers are monotone. */
function firstLength(
  from: number,
  to: number,
  answerAt: (length: number) => Pick<Settled, 'answer'>,
): number {
  let [low, high] = [from, to];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (answerAt(middle).answer === 'more') low = middle + 1;
    else high = middle;
  }
  return high;
}

/** Offset from the flight's first byte, PROXY header included. */
const at = ({ opening }: Asked, bytes: number): number => opening.headerBytes + bytes;

const acceptedIn = ({ plan, listener }: Asked): readonly number[] => acceptedBy(plan.listeners[listener]);

function sessionOf({ listener, opening, classified, nowMs }: Asked, read: FactsAnswer): RouteSession {
  const facts = withHeader(read, opening);
  return {
    listener,
    protocol: classified.protocol,
    source: opening.source,
    nowMs,
    facts: facts.facts,
    factsComplete: facts.verdict !== 'more',
    broken: facts.verdict === 'broken',
    doubtful: facts.verdict === 'broken' ? [] : (facts.doubtful ?? []),
  };
}

// ---- in words

function whenText(plan: Plan, when: Conditions, tests: readonly RouteTest[]): Record<string, string> {
  const inOrder = readsInOrder.flatMap((part) => tests.filter(({ reads }) => reads === part));
  const texts = inOrder.map(({ name, place }) => {
    if (name === 'not')
      return [
        name,
        listText(
          excludedBy(when).map((set) => setText(plan, set)),
          ', ',
        ),
      ];
    return [name, place === null ? listed(when[name]) : placeText(plan, place)];
  });
  return Object.fromEntries(texts);
}

const setText = (plan: Plan, set: Conditions): string => {
  const texts = whenText(plan, set, createOwnTests(set));
  return `(${Object.entries(texts)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ')})`;
};

const listed = (data: unknown): string => listText(valuesOf(data).map(String), ', ');

function placeText({ listeners, protocols }: Plan, place: Place): string {
  const names = [
    ...(place.listeners?.map((index) => listeners[index]?.name) ?? []),
    ...(place.protocols?.map((index) => protocols[index]?.name) ?? []),
  ];
  return listText(names.map(String), ', ');
}

/** The session's value for the condition that failed. */
function valueText({ plan, listener, opening, classified, nowMs }: Asked, by: Settled['by']): string {
  if (!isTest(by) || isOnProtocol(by)) return protocolText(plan, listener, classified);
  switch (by.reads) {
    case 'place':
      return plan.listeners[listener]?.name ?? '';
    case 'clock':
      return new Date(nowMs).toISOString();
    case 'source':
      return opening.source === '' ? 'not known' : opening.source;
    case 'facts': {
      const { facts } = classified.factsOf(opening.bytes);
      const value = facts[by.key?.kind === 'fact' ? by.key.fact : by.name];
      return value === undefined || String(value) === '' ? 'not there' : String(value);
    }
  }
}

function protocolText({ protocols, listeners }: Plan, listener: number, classified: Classified): string {
  if (classified.verdict !== 'match') return classified.verdict === 'more' ? 'another' : 'unknown';
  const name = protocols[classified.protocol]?.name ?? '';
  return acceptedBy(listeners[listener]).includes(classified.protocol)
    ? name
    : `${name}, which is not accepted here`;
}
