/** Evaluates a protocol's `confirm` and finds the shortest prefix with the same answer. */
import type { Settlement } from '../model/classifier.js';
import type { Recognizer } from '../model/protocol.js';
import type { NamedRecognizer } from './index.js';

/** A datagram is complete: the whole of it counts as decisive. */
export function settlementOfDatagram({ confirm }: Recognizer, bytes: Uint8Array): Settlement {
  return confirm ? { verdict: confirm(bytes).verdict, at: bytes.length } : { verdict: 'match', at: 0 };
}

/** Answers are final once given, so binary search finds the shortest prefix, in O(log n) calls. */
export function settlementOf({ confirm }: Recognizer, bytes: Uint8Array): Settlement {
  if (!confirm) return { verdict: 'match', at: 0 };
  const answer = confirm(bytes);
  const { verdict } = answer;
  if (answer.verdict === 'more') {
    const { quietMs } = answer;
    return { verdict, at: bytes.length, ...(quietMs !== undefined && { quietMs }) };
  }
  let [undecided, at] = [0, bytes.length];
  while (at - undecided > 1) {
    const middle = (undecided + at) >> 1;
    if (confirm(bytes.subarray(0, middle)).verdict === 'more') undecided = middle;
    else at = middle;
  }
  return { verdict, at };
}

/**
 * Whether the protocol at `position` is right after the silence that it waits for. Between a refinement and its
 * parent only the parent is certain, so the parent wins if it is accepted. `recognizers` in rank order, the first
 * `accepted` are the listener's own.
 */
export function settlesQuietly(
  recognizers: readonly NamedRecognizer[],
  accepted: number,
  position: number,
): boolean {
  const refines = recognizers[position]?.refines;
  return position < accepted && !recognizers.slice(0, accepted).some(({ id }) => id === refines);
}
