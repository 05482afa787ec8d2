/** Which route a session takes, and what every other one lacks. */
import type { FactsAnswer } from '../../model/facts.js';
import type { Conditions, Plan, PlanTarget } from '../../model/plan.js';
import { withHeader } from '../../protocols/proxy-header.js';
import type { Answer, Place, RouteSession } from '../../routing/condition.js';
import { createTests, type RouteTest } from '../../routing/conditions/index.js';
import { explainRoute, type RouteAnswer } from '../../routing/explain.js';
import type { Taken } from './opening.js';
import type { Classified } from './protocols.js';

export interface RouteRow {
  readonly name: string;
  /** Conditions as the configuration has them. */
  readonly when: Readonly<Record<string, string>>;
  readonly to: string;
  /** `shadowed`: it holds, but an earlier one is taken. `refused`: it needs facts that can not be read. */
  readonly verdict: 'taken' | 'shadowed' | 'more' | 'refused' | 'no';
  /** The bytes that settled it; 0: it was settled before the first. */
  readonly atByte: number;
  readonly why: string;
}

/** All that the routes of a session are asked about. */
export interface Asked {
  readonly plan: Plan;
  readonly listener: number;
  readonly opening: Taken;
  readonly classified: Classified;
}

/** `by`: the condition that does not hold, or is not known; `protocol`: none is, so no condition is asked. */
interface Settled {
  readonly answer: Answer;
  readonly by: RouteTest | 'protocol' | null;
  readonly at: number;
}

export function explainRoutes(asked: Asked): RouteRow[] {
  const tests = asked.plan.routes.map(({ when }) => createTests(when));
  const settled = tests.map((each) => settle(asked, each));
  const first = settled.findIndex(({ answer }) => answer !== 'no');
  return asked.plan.routes.map((route, index) => ({
    name: route.name,
    when: whenText(asked.plan, route.when, tests[index] as RouteTest[]),
    to: targetText(asked.plan, route.to),
    atByte: settled[index]?.at ?? 0,
    ...verdictOf(asked, settled[index] as Settled, index, first),
  }));
}

/** An upstream's name, or the way to close. */
export function targetText({ upstreams }: Plan, to: PlanTarget): string {
  return to.kind === 'end' ? to.closing : (upstreams[to.upstream]?.name ?? '');
}

function verdictOf(
  asked: Asked,
  { answer, by }: Settled,
  index: number,
  first: number,
): Pick<RouteRow, 'verdict' | 'why'> {
  const condition = by === 'protocol' ? by : by?.name;
  switch (answer) {
    case 'yes':
      return index === first
        ? { verdict: 'taken', why: 'every condition holds' }
        : { verdict: 'shadowed', why: `it holds, but ${asked.plan.routes[first]?.name} comes first` };
    case 'more':
      return { verdict: 'more', why: `${condition} is not known yet` };
    case 'refuse':
      return { verdict: 'refused', why: `${condition} can not be read for certain` };
    case 'no':
      return { verdict: 'no', why: `${condition} is ${valueText(asked, by)}` };
  }
}

// ---- what a route says, and when

function settle(asked: Asked, tests: readonly RouteTest[]): Settled {
  const { classified } = asked;
  if (classified.verdict === 'unknown')
    return { answer: 'no', by: 'protocol', at: at(asked, classified.decidedAt) };
  return classified.verdict === 'more' ? settleEarly(asked, tests) : settleIdentified(asked, tests);
}

const isOnProtocol = ({ place }: RouteTest): boolean => place?.protocols !== undefined;

/** The protocol is not known: it can only be said which one it is not. */
function settleEarly(asked: Asked, tests: readonly RouteTest[]): Settled {
  const others = tests.filter((test) => !isOnProtocol(test));
  const early = explainRoute(others, sessionOf(asked, { verdict: 'more', bytesNeeded: 0, facts: {} }));
  if (early.by?.reads === 'place') return { ...early, at: 0 };
  const protocols = tests.find(isOnProtocol)?.place?.protocols;
  const rows = protocols?.map((index) => asked.classified.rows.get(index));
  if (rows?.every((row) => row === undefined || row.verdict === 'no')) {
    const last = Math.max(...rows.map((row) => row?.atByte ?? 0));
    return { answer: 'no', by: 'protocol', at: at(asked, last) };
  }
  if (early.answer === 'no') return { ...early, at: 0 };
  return { answer: 'more', by: 'protocol', at: at(asked, asked.opening.bytes.length) };
}

function settleIdentified(asked: Asked, tests: readonly RouteTest[]): Settled {
  const { opening, classified } = asked;
  const answerAt = (length: number) =>
    explainRoute(tests, sessionOf(asked, classified.factsOf(opening.bytes.subarray(0, length))));
  const last = answerAt(opening.bytes.length);
  if (last.by && isOnProtocol(last.by)) {
    const row = classified.rows.get(last.by.place?.protocols?.[0] ?? -1);
    return { ...last, at: at(asked, row?.verdict === 'no' ? row.atByte : classified.decidedAt) };
  }
  if (last.by && last.by.reads !== 'facts') return { ...last, at: 0 };
  if (last.answer === 'more') return { ...last, at: at(asked, opening.bytes.length) };
  return { ...last, at: at(asked, firstLength(classified.decidedAt, opening.bytes.length, answerAt)) };
}

/** The fewest bytes with which it is settled: an answer is never taken back, so it is found by halving. */
function firstLength(from: number, to: number, answerAt: (length: number) => RouteAnswer): number {
  let [low, high] = [from, to];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (answerAt(middle).answer === 'more') low = middle + 1;
    else high = middle;
  }
  return high;
}

/** Counted from the flight's first byte. */
const at = ({ opening }: Asked, bytes: number): number => opening.headerBytes + bytes;

function sessionOf({ plan, listener, opening, classified }: Asked, read: FactsAnswer): RouteSession {
  const facts = withHeader(read, opening);
  const accepted = plan.listeners[listener]?.protocols.includes(classified.protocol);
  return {
    listener,
    // A protocol that this listener does not accept is as good as none.
    protocol: accepted ? classified.protocol : -1,
    source: opening.source,
    facts: facts.facts,
    factsComplete: facts.verdict !== 'more',
    broken: facts.verdict === 'broken',
    doubtful: facts.verdict === 'broken' ? [] : (facts.doubtful ?? []),
  };
}

// ---- in words

function whenText(plan: Plan, when: Conditions, tests: readonly RouteTest[]): Record<string, string> {
  const inOrder = ORDER.flatMap((part) => tests.filter(({ reads }) => reads === part));
  return Object.fromEntries(
    inOrder.map(({ name, place }) => [name, place === null ? listed(when[name]) : placeText(plan, place)]),
  );
}

/** As conditions are asked. */
const ORDER: readonly RouteTest['reads'][] = ['place', 'source', 'facts'];

const listed = (data: unknown): string => [data].flat().join(', ');

function placeText({ listeners, protocols }: Plan, place: Place): string {
  const names = [
    ...(place.listeners?.map((index) => listeners[index]?.name) ?? []),
    ...(place.protocols?.map((index) => protocols[index]?.name) ?? []),
  ];
  return names.join(', ');
}

/** What the session has where the route wants something else. */
function valueText({ plan, listener, opening, classified }: Asked, by: Settled['by']): string {
  if (by === null || by === 'protocol' || isOnProtocol(by)) return protocolText(plan, listener, classified);
  switch (by.reads) {
    case 'place':
      return plan.listeners[listener]?.name ?? '';
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
  return listeners[listener]?.protocols.includes(classified.protocol)
    ? name
    : `${name}, which is not accepted here`;
}
