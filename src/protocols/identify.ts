/** Identifies bytes offline: all built-ins on the TypeScript engine, fed segment by segment as in a live session. */
import type { Decision, Settlement } from '../model/classifier.js';
import type { Facts, FactsAnswer } from '../model/facts.js';
import type { Transport } from '../model/protocol.js';
import { compileClassifier } from './compile.js';
import { type NamedRecognizer, recognizersFor } from './index.js';
import { createMatcher, type Matcher } from './matcher.js';
import { factsWithin, identifyBytesMax, upTo } from './read-limit.js';
import { settlementOf, settlementOfDatagram, settlesQuietly } from './settlement.js';

export interface Identified {
  /** Protocol id; null unless the verdict is `match`. */
  readonly protocol: string | null;
  readonly verdict: 'match' | 'more' | 'unknown';
  /** Prefix length that decided the verdict; for `more`, the bytes seen. */
  readonly decidedAtByte: number;
  /** Prefix length needed to continue; null when nothing is missing. */
  readonly bytesNeeded: number | null;
  readonly facts: Facts;
  /** Present: the verdict needs a silence of this many milliseconds. */
  readonly quietMs?: number;
}

/** `segments` in order of arrival: reads (TCP) or datagrams (UDP); the first datagram decides the protocol. */
export function identifyBytes(sent: readonly Uint8Array[], transport: Transport): Identified {
  const segments = transport === 'udp' ? sent : upTo(identifyBytesMax, sent);
  const candidates = recognizersFor(transport);
  const settle = transport === 'udp' ? settlementOfDatagram : settlementOf;
  /** The last confirmation; for `more` it tells what is missing. */
  let asked: Settlement | undefined;
  const matcher = createMatcher(compileClassifier(candidates, candidates.length), {
    confirm(protocol, prefix) {
      asked = settle(candidates[protocol] as NamedRecognizer, prefix);
      return asked;
    },
    settlesQuietly: (protocol) => settlesQuietly(candidates, candidates.length, protocol),
  });
  const reads = transport === 'udp' ? segments.slice(0, 1) : segments;
  const decision = feed(matcher, reads);
  const ended = transport === 'udp' && reads.length > 0;
  const quietMs = decision.verdict === 'more' ? asked?.quietMs : undefined;
  const best = candidates[(decision.verdict === 'more' ? finish(matcher, quietMs) : decision).protocol];
  const bytes = Buffer.concat(reads);
  if (best) {
    const identified = matched(best, transport === 'udp' ? segments : [bytes], decision.decidedAt);
    return quietMs === undefined ? identified : { ...identified, quietMs };
  }
  const isOver = ended || bytes.length >= identifyBytesMax;
  if (isOver || decision.verdict !== 'more') return unmatched('unknown', decision.decidedAt, null);
  return unmatched('more', decision.decidedAt, bytes.length + 1);
}

const finish = (matcher: Matcher, quietMs: number | undefined): Decision =>
  quietMs === undefined ? matcher.finish() : matcher.quiet();

function feed(matcher: Matcher, reads: readonly Uint8Array[]): Decision {
  for (const read of reads) {
    const decision = matcher.advance(read);
    if (decision.verdict !== 'more') return decision;
  }
  return matcher.advance(new Uint8Array());
}

function unmatched(
  verdict: 'more' | 'unknown',
  decidedAtByte: number,
  bytesNeeded: number | null,
): Identified {
  return { protocol: null, verdict, decidedAtByte, bytesNeeded, facts: {} };
}

function matched(
  { id, facts }: NamedRecognizer,
  parts: readonly Uint8Array[],
  decidedAtByte: number,
): Identified {
  const answer = facts ? factsOf(facts, parts) : noFacts;
  const bytesNeeded = answer.verdict === 'more' ? answer.bytesNeeded : null;
  return { protocol: id, verdict: 'match', decidedAtByte, bytesNeeded, facts: answer.facts };
}

const noFacts: FactsAnswer = { verdict: 'facts', facts: {} };

/** Reads as few parts as needed: a hello may continue in the next datagrams, of which a number is held. */
function factsOf(facts: NonNullable<NamedRecognizer['facts']>, parts: readonly Uint8Array[]): FactsAnswer {
  for (let count = 1; count < parts.length; count++) {
    const answer = factsWithin(facts, Buffer.concat(parts.slice(0, count)), identifyBytesMax, count);
    if (answer.verdict !== 'more') return answer;
  }
  return factsWithin(facts, Buffer.concat(parts), identifyBytesMax, parts.length);
}
