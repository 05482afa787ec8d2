/** How much of an opening is looked at, and what is said where that is all. */
import type { FactsAnswer } from '../model/facts.js';
import type { Recognizer } from '../model/protocol.js';

/** The default of `identify_max_bytes`: what the engine's larger buffers hold at least (native/pool/slabs.h). */
export const identifyBytesMax = 65_536;

/** The first so many bytes, cut as they were. */
export function upTo(bytesMax: number, segments: readonly Uint8Array[]): Uint8Array[] {
  let left = bytesMax;
  return segments.flatMap((segment) => {
    const taken = segment.subarray(0, left);
    left -= taken.length;
    return taken.length === 0 ? [] : [taken];
  });
}

/** Facts of what is looked at: where that is all, what is still missing never comes. */
export function factsWithin(
  facts: NonNullable<Recognizer['facts']>,
  bytes: Uint8Array,
  bytesMax: number,
): FactsAnswer {
  const isAll = bytes.length >= bytesMax;
  const answer = facts(bytes.subarray(0, bytesMax), isAll);
  return isAll && answer.verdict === 'more' ? { verdict: 'broken', facts: answer.facts } : answer;
}
