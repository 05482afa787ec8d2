/** Explains to a user why bytes match a given protocol or do not. */
import type { Decision } from '../model/classifier.js';
import type { Signature, Transport, Verdict } from '../model/protocol.js';
import { compileClassifier } from './compile.js';
import { limits } from './dfa/signature.js';
import type { NamedRecognizer } from './index.js';
import { createMatcher } from './matcher.js';
import { settlementOf, settlementOfDatagram } from './settlement.js';

export interface Told {
  readonly verdict: Verdict;
  /** Prefix length that decided it; for `more`, the bytes seen. */
  readonly at: number;
  readonly why: string;
}

/** `transport`: of `udp` the bytes are a datagram, which is complete. */
export function explainRecognizer(
  recognizer: NamedRecognizer,
  bytes: Uint8Array,
  transport: Transport = 'tcp',
): Told {
  const { verdict, decidedAt } = walk(recognizer.signature, bytes);
  if (verdict === 'more') {
    if (transport === 'tcp') return { verdict, at: decidedAt, why: 'its signature fits so far' };
    return explainWhole(recognizer, bytes);
  }
  if (verdict === 'unknown') {
    return { verdict: 'no', at: decidedAt, why: signatureMiss(recognizer.signature, bytes, decidedAt) };
  }
  return explainMatch(recognizer, bytes, decidedAt, transport);
}

function explainMatch(
  recognizer: NamedRecognizer,
  bytes: Uint8Array,
  decidedAt: number,
  transport: Transport,
): Told {
  const settled =
    transport === 'udp' ? settlementOfDatagram(recognizer, bytes) : settlementOf(recognizer, bytes);
  const verdict = settled.verdict === 'more' && transport === 'udp' ? 'no' : settled.verdict;
  return { verdict, at: Math.max(decidedAt, settled.at), why: confirmationText(verdict, recognizer) };
}

/** A datagram whose end decides. */
function explainWhole(recognizer: NamedRecognizer, bytes: Uint8Array): Told {
  const { signature } = recognizer;
  const { verdict, decidedAt } = walkWhole(signature, bytes);
  if (verdict === 'match') return explainMatch(recognizer, bytes, decidedAt, 'udp');
  const failed = (signature.checks ?? []).find(
    (check) => walkWhole({ ...signature, checks: [check] }, bytes).verdict === 'unknown',
  );
  const { checks: _, ...regular } = signature;
  const isWhole = walkWhole(regular, bytes).verdict === 'match';
  const why = isWhole ? `${failed} does not hold` : 'the datagram ends before its signature does';
  return { verdict: 'no', at: decidedAt, why };
}

const matcherOf = (signature: Signature) =>
  createMatcher(compileClassifier([{ id: 'explained', signature }], 1));

const walk = (signature: Signature, bytes: Uint8Array): Decision => matcherOf(signature).advance(bytes);

function walkWhole(signature: Signature, bytes: Uint8Array): Decision {
  const matcher = matcherOf(signature);
  const decision = matcher.advance(bytes);
  return decision.verdict === 'more' ? matcher.finish() : decision;
}

function confirmationText(verdict: Verdict, { confirm }: NamedRecognizer): string {
  if (verdict === 'match')
    return confirm ? 'its signature matches and is confirmed' : 'its signature matches';
  return verdict === 'no'
    ? 'its signature matches, but what it announces is not there'
    : 'its signature matches, and is confirmed once more bytes are there';
}

/** `at`: prefix length that decided it. */
function signatureMiss(signature: Signature, bytes: Uint8Array, at: number): string {
  const failed = (signature.checks ?? []).find(
    (check) => walk({ ...signature, checks: [check] }, bytes).verdict === 'unknown',
  );
  const { checks: _, ...regular } = signature;
  if (failed !== undefined && walk(regular, bytes).verdict !== 'unknown') return `${failed} does not hold`;
  const { contains, containsWithin = limits.containsWithin, maxBytes = limits.sniffBytesMax } = signature;
  if (at >= (contains ? Math.min(containsWithin, maxBytes) : maxBytes)) {
    return `its signature does not match within ${at} bytes`;
  }
  return `${byteText(bytes[at - 1] ?? 0)} does not fit its signature`;
}

/** `47 "G"`; `00` when the byte is not printable. */
function byteText(byte: number): string {
  const hex = byte.toString(16).padStart(2, '0');
  return byte > 0x20 && byte < 0x7f ? `${hex} "${String.fromCharCode(byte)}"` : hex;
}
