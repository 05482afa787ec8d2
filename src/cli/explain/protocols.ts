/** The protocol that a listener identifies, and why each other one lost. */

import type { Settlement } from '../../model/classifier.js';
import type { FactsAnswer } from '../../model/facts.js';
import type { Plan, PlanListener, PlanProtocol } from '../../model/plan.js';
import type { Transport } from '../../model/protocol.js';
import { compileClassifier } from '../../protocols/compile.js';
import { explainRecognizer, type Told } from '../../protocols/explain.js';
import type { NamedRecognizer } from '../../protocols/index.js';
import { createMatcher } from '../../protocols/matcher.js';
import { loadProtocol, orderOf } from '../../protocols/planned.js';
import { factsWithin } from '../../protocols/read-limit.js';
import { settlementOf, settlementOfDatagram, settlesQuietly } from '../../protocols/settlement.js';
import type { Taken } from './opening.js';

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

/** `opening`: behind a PROXY header. */
export async function classify(
  plan: Plan,
  listener: PlanListener,
  { bytes: sent, transport }: Pick<Taken, 'bytes' | 'transport'>,
): Promise<Classified> {
  const { identifyMaxBytes } = plan.limits;
  const isDatagram = transport === 'udp';
  const bytes = isDatagram ? sent : sent.subarray(0, identifyMaxBytes);
  const isFull = bytes.length >= identifyMaxBytes || isDatagram;
  const asked = askedOf(plan, listener, transport);
  const loaded = await Promise.all(asked.map(({ protocol }) => loadProtocol(protocol, () => {})));
  const recognizers = loaded.map((each) => each[transport] as NamedRecognizer);
  const routable = asked.filter(({ accepted }) => accepted).length;
  const decided = decide(recognizers, { routable, isFull, transport }, bytes);
  const { verdict, protocol, decidedAt, quietMs } = decided;
  const facts = recognizers[protocol]?.facts ?? (() => noFacts);
  const told = recognizers.map((recognizer) => explainRecognizer(recognizer, bytes, transport));
  const row = rowMaker(asked, told, { rank: protocol, decidedAt, quietMs });
  return {
    verdict,
    protocol: asked[protocol]?.index ?? -1,
    decidedAt,
    quietMs,
    factsOf: (prefix) => factsWithin(facts, prefix, identifyMaxBytes, isDatagram ? 1 : 0),
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
function askedOf(plan: Plan, listener: PlanListener, transport: Transport): Asked[] {
  const protocols = transport === 'udp' ? listener.datagramProtocols : listener.protocols;
  const isNamed = listener.onUnknown.kind === 'end';
  const order = isNamed ? orderOf(protocols, plan.protocols, transport) : protocols;
  return order.map((index) => ({
    index,
    protocol: plan.protocols[index] as PlanProtocol,
    accepted: protocols.includes(index),
  }));
}

interface Deciding {
  readonly routable: number;
  readonly isFull: boolean;
  readonly transport: Transport;
}

function decide(
  recognizers: readonly NamedRecognizer[],
  { routable, isFull, transport }: Deciding,
  bytes: Uint8Array,
) {
  const settle = transport === 'udp' ? settlementOfDatagram : settlementOf;
  let asked: Settlement | undefined;
  const matcher = createMatcher(compileClassifier(recognizers, routable), {
    confirm(position, prefix) {
      asked = settle(recognizers[position] as NamedRecognizer, prefix);
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
