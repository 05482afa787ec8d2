/** The read limit of openings, and the answer of a facts parser at that limit. */
import type { FactsAnswer } from '../model/facts.js';
import type { Recognizer } from '../model/protocol.js';

/** Default of `identify_max_bytes`, in bytes; every large slab holds as much (native/pool/slabs.h). */
export const identifyBytesMax = 65_536;

/** Datagrams of an opening that are held for its facts (native/sniff/state.h). */
export const datagramsMax = 16;

/** The first `bytesMax` bytes, with the segment boundaries kept. */
export function upTo(bytesMax: number, segments: readonly Uint8Array[]): Uint8Array[] {
  let left = bytesMax;
  return segments.flatMap((segment) => {
    const taken = segment.subarray(0, left);
    left -= taken.length;
    return taken.length === 0 ? [] : [taken];
  });
}

/**
 * Facts from the bytes within the limit; at the limit `more` becomes final, since no more bytes will be read. `datagrams`:
 * in which they came; the last one is not cut.
 */
export function factsWithin(
  facts: NonNullable<Recognizer['facts']>,
  bytes: Uint8Array,
  bytesMax: number,
  datagrams = 0,
): FactsAnswer {
  const isAll = bytes.length >= bytesMax || datagrams >= datagramsMax;
  const answer = facts(datagrams > 0 ? bytes : bytes.subarray(0, bytesMax), isAll);
  return isAll && answer.verdict === 'more' ? { verdict: 'broken', facts: answer.facts } : answer;
}

/** Facts of a datagram that is its whole opening: what it lacks does not come. */
export const wholeFacts =
  (facts: NonNullable<Recognizer['facts']>): NonNullable<Recognizer['facts']> =>
  (bytes) => {
    const answer = facts(bytes, true);
    return answer.verdict === 'more' ? { verdict: 'broken', facts: answer.facts } : answer;
  };
