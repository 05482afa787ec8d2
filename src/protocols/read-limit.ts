/** The read limit of openings, and the answer of a facts parser at that limit. */
import type { FactsAnswer } from '../model/facts.js';
import type { Recognizer } from '../model/protocol.js';

/** Default of `identify_max_bytes`, in bytes; every large slab holds as much (native/pool/slabs.h). */
export const identifyBytesMax = 65_536;

/** The first `bytesMax` bytes, with the segment boundaries kept. */
export function upTo(bytesMax: number, segments: readonly Uint8Array[]): Uint8Array[] {
  let left = bytesMax;
  return segments.flatMap((segment) => {
    const taken = segment.subarray(0, left);
    left -= taken.length;
    return taken.length === 0 ? [] : [taken];
  });
}

/** Facts from the bytes within the limit; at the limit `more` becomes final, since no more bytes will be read. */
export function factsWithin(
  facts: NonNullable<Recognizer['facts']>,
  bytes: Uint8Array,
  bytesMax: number,
): FactsAnswer {
  const isAll = bytes.length >= bytesMax;
  const answer = facts(bytes.subarray(0, bytesMax), isAll);
  return isAll && answer.verdict === 'more' ? { verdict: 'broken', facts: answer.facts } : answer;
}
