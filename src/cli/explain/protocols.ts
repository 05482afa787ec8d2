/** The protocol that a listener identifies, and why each other one lost. */

import type { Settlement } from '../../model/classifier.js';
import type { FactsAnswer } from '../../model/facts.js';
import type { Plan, PlanListener, PlanProtocol } from '../../model/plan.js';
import { compileClassifier } from '../../protocols/compile.js';
import { explainRecognizer, type Told } from '../../protocols/explain.js';
import type { NamedRecognizer } from '../../protocols/index.js';
import { createMatcher } from '../../protocols/matcher.js';
import { loadRecognizer, orderOf } from '../../protocols/planned.js';
import { factsWithin } from '../../protocols/read-limit.js';
import { settlementOf, settlesQuietly } from '../../protocols/settlement.js';

export interface ProtocolRow {
  readonly protocol: string;
  /** Accepted by the listener; other protocols only name a session. */
  readonly accepted: boolean;
  readonly verdict: 'wins' | 'outranked' | 'more' | 'no';
  /** Prefix length that decided it; for `more`, the bytes seen. */
  readonly atByte: number;
  readonly why: string;
}

export interface Classified {
  readonly verdict: 'match' | 'more' | 'unknown';
  /** Index into `Plan.protocols`; -1 unless the verdict is `match`. */
  readonly protocol: number;
  readonly decidedAt: number;
  /** The match takes effect after a silence of this length; null: at once. */
  readonly quietMs: number | null;
  readonly factsOf: (bytes: Uint8Array) => FactsAnswer;
  /** By index into `Plan.protocols`; without protocols that are no candidates. */
  readonly rows: ReadonlyMap<number, ProtocolRow>;
}

const noFacts: FactsAnswer = { verdict: 'facts', facts: {} };

export async function classify(plan: Plan, listener: PlanListener, sent: Uint8Array): Promise<Classified> {
  const { identifyMaxBytes } = plan.limits;
  const bytes = sent.subarray(0, identifyMaxBytes);
  const isFull = bytes.length === identifyMaxBytes;
  const asked = askedOf(plan, listener);
  const recognizers = await Promise.all(asked.map(({ protocol }) => loadRecognizer(protocol, () => {})));
  const decided = decide(recognizers, listener.protocols.length, bytes, isFull);
  const { verdict, protocol, decidedAt, quietMs } = decided;
  const facts = recognizers[protocol]?.facts ?? (() => noFacts);
  const told = recognizers.map((recognizer) => explainRecognizer(recognizer, bytes));
  const row = rowMaker(asked, told, { rank: protocol, decidedAt, quietMs });
  return {
    verdict,
    protocol: asked[protocol]?.index ?? -1,
    decidedAt,
    quietMs,
    factsOf: (prefix) => factsWithin(facts, prefix, identifyMaxBytes),
    rows: new Map(asked.map(({ index }, position) => [index, row(position)])),
  };
}

interface Asked {
  /** Index into `Plan.protocols`. */
  readonly index: number;
  readonly protocol: PlanProtocol;
  readonly accepted: boolean;
}

/** Candidates in rank order. If `on_unknown` leads to an upstream, protocols that only name a session are left out. */
function askedOf(plan: Plan, { protocols, onUnknown }: PlanListener): Asked[] {
  const order = onUnknown.kind === 'end' ? orderOf(protocols, plan.protocols.length) : protocols;
  return order.map((index) => ({
    index,
    protocol: plan.protocols[index] as PlanProtocol,
    accepted: protocols.includes(index),
  }));
}

function decide(
  recognizers: readonly NamedRecognizer[],
  routable: number,
  bytes: Uint8Array,
  isFull: boolean,
) {
  let asked: Settlement | undefined;
  const matcher = createMatcher(compileClassifier(recognizers, routable), {
    confirm(position, prefix) {
      asked = settlementOf(recognizers[position] as NamedRecognizer, prefix);
      return asked;
    },
    settlesQuietly: (position) => settlesQuietly(recognizers, routable, position),
  });
  const decision = matcher.advance(bytes);
  if (isFull && decision.verdict === 'more') return { ...matcher.finish(), quietMs: null };
  const quietMs = (decision.verdict === 'more' && asked?.quietMs) || null;
  return quietMs === null ? { ...decision, quietMs } : { ...matcher.quiet(), quietMs };
}

interface Decided {
  /** Position of the winner; -1: none. */
  readonly rank: number;
  readonly decidedAt: number;
  readonly quietMs: number | null;
}

function rowMaker(asked: readonly Asked[], told: readonly Told[], { rank, decidedAt, quietMs }: Decided) {
  /** The best candidate that is not ruled out. */
  const first = rank < 0 ? told.findIndex(({ verdict }) => verdict !== 'no') : rank;
  const behind = `${asked[first]?.protocol.name} ranks before it`;
  return (position: number): ProtocolRow => {
    const { verdict, at, why } = told[position] as Told;
    const { protocol, accepted } = asked[position] as Asked;
    const row = { protocol: protocol.name, accepted, atByte: at, why };
    if (position === rank) return { ...row, verdict: 'wins', atByte: decidedAt };
    if (quietMs !== null && position < rank && verdict === 'more')
      return {
        ...row,
        verdict: 'no',
        atByte: decidedAt,
        why: `${why}, of which none comes for ${quietMs} ms`,
      };
    if (verdict === 'no' && (rank < 0 || at <= decidedAt)) return { ...row, verdict };
    if (rank >= 0) return { ...row, verdict: 'outranked', atByte: decidedAt, why: behind };
    return { ...row, verdict: 'more', why: position === first ? why : `${why}, but ${behind}` };
  };
}
