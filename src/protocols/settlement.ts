/** When a protocol's `confirm` spoke: at the fewest bytes with which it says what it says now. */
import type { Settlement } from '../model/classifier.js';
import type { Recognizer } from '../model/protocol.js';
import type { NamedRecognizer } from './index.js';

/** A datagram is whole, and what it says is said by all of it. */
export function settlementOfDatagram({ confirm }: Recognizer, bytes: Uint8Array): Settlement {
  return confirm ? { verdict: confirm(bytes).verdict, at: bytes.length } : { verdict: 'match', at: 0 };
}

/** An answer is never taken back, so the place is found by halving: the cost is that of a few calls. */
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
 * The silence that it waits for has come: is the protocol at this position right? Of a special case and what it refines
 * only the latter is certain, so that one is, where it is accepted. `recognizers` best rank first, the accepted ones leading.
 */
export function settlesQuietly(
  recognizers: readonly NamedRecognizer[],
  accepted: number,
  position: number,
): boolean {
  const refines = recognizers[position]?.refines;
  return position < accepted && !recognizers.slice(0, accepted).some(({ id }) => id === refines);
}
