/** Which route a session takes, and what every other one lacks. */
import type { FactsAnswer } from '../../model/facts.js';
import type { Plan, PlanConditions, PlanRoute, PlanTarget } from '../../model/plan.js';
import { withHeader } from '../../protocols/proxy-header.js';
import type { RouteSession } from '../../routing/condition.js';
import { explainRoute, type RouteAnswer } from '../../routing/explain.js';
import { routeName } from '../../routing/route-name.js';
import type { Taken } from './opening.js';
import type { Classified } from './protocols.js';

export interface RouteRow {
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

type Settled = RouteAnswer & { readonly at: number };

export function explainRoutes(asked: Asked): RouteRow[] {
  const settled = asked.plan.routes.map(({ when }) => settle(asked, when));
  const first = settled.findIndex(({ answer }) => answer !== 'no');
  return asked.plan.routes.map((route, index) =>
    rowOf(asked, route, settled[index] as Settled, index, first),
  );
}

/** An upstream's name, or the way to close. */
export function targetText({ upstreams }: Plan, to: PlanTarget): string {
  return to.kind === 'end' ? to.closing : (upstreams[to.upstream]?.name ?? '');
}

function rowOf(asked: Asked, route: PlanRoute, settled: Settled, index: number, first: number): RouteRow {
  const { answer, condition, at } = settled;
  const row = { when: whenText(asked.plan, route.when), to: targetText(asked.plan, route.to), atByte: at };
  switch (answer) {
    case 'yes':
      return index === first
        ? { ...row, verdict: 'taken', why: 'every condition holds' }
        : { ...row, verdict: 'shadowed', why: `it holds, but ${routeName(asked.plan, first)} comes first` };
    case 'more':
      return { ...row, verdict: 'more', why: `${condition} is not known yet` };
    case 'refuse':
      return { ...row, verdict: 'refused', why: `${condition} can not be read for certain` };
    case 'no':
      return { ...row, verdict: 'no', why: `${condition} is ${valueText(asked, condition)}` };
  }
}

// ---- what a route says, and when

function settle(asked: Asked, when: PlanConditions): Settled {
  const { classified } = asked;
  if (classified.verdict === 'unknown')
    return { answer: 'no', condition: 'protocol', at: at(asked, classified.decidedAt) };
  return classified.verdict === 'more' ? settleEarly(asked, when) : settleIdentified(asked, when);
}

/** The protocol is not known: it can only be said which one it is not. */
function settleEarly(asked: Asked, { protocol, ...rest }: PlanConditions): Settled {
  const { rows } = asked.classified;
  const early = explainRoute(rest, sessionOf(asked, { verdict: 'more', bytesNeeded: 0, facts: {} }));
  if (early.condition === 'listener') return { ...early, at: 0 };
  const row = protocol === undefined ? undefined : rows.get(protocol);
  const isOut = protocol !== undefined && (row === undefined || row.verdict === 'no');
  if (isOut) return { answer: 'no', condition: 'protocol', at: at(asked, row?.atByte ?? 0) };
  if (early.answer === 'no') return { ...early, at: 0 };
  return { answer: 'more', condition: 'protocol', at: at(asked, asked.opening.bytes.length) };
}

function settleIdentified(asked: Asked, when: PlanConditions): Settled {
  const { opening, classified } = asked;
  const answerAt = (length: number) =>
    explainRoute(when, sessionOf(asked, classified.factsOf(opening.bytes.subarray(0, length))));
  const last = answerAt(opening.bytes.length);
  if (last.condition === 'listener' || last.condition === 'source') return { ...last, at: 0 };
  if (last.condition === 'protocol') {
    const row = classified.rows.get(when.protocol ?? -1);
    return { ...last, at: at(asked, row?.verdict === 'no' ? row.atByte : classified.decidedAt) };
  }
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

function whenText({ protocols, listeners }: Plan, when: PlanConditions): Record<string, string> {
  const { protocol, listener, source, ...facts } = when;
  return {
    ...(listener !== undefined && { listener: listeners[listener]?.name ?? '' }),
    ...(protocol !== undefined && { protocol: protocols[protocol]?.name ?? '' }),
    ...(source && { source: source.join(', ') }),
    ...facts,
  };
}

/** What the session has where the route wants something else. */
function valueText(
  { plan, listener, opening, classified }: Asked,
  condition: RouteAnswer['condition'],
): string {
  switch (condition) {
    case 'listener':
      return plan.listeners[listener]?.name ?? '';
    case 'protocol':
      return protocolText(plan, listener, classified);
    case 'source':
      return opening.source === '' ? 'not known' : opening.source;
    default: {
      const { facts } = classified.factsOf(opening.bytes);
      const value = condition === null ? undefined : facts[condition];
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
