/** When a protocol's `confirm` spoke: at the fewest bytes with which it says what it says now. */
import type { Settlement } from '../model/classifier.js';
import type { Recognizer } from '../model/protocol.js';

/** A datagram is whole, and what it says is said by all of it. */
export function settlementOfDatagram({ confirm }: Recognizer, bytes: Uint8Array): Settlement {
  return confirm ? { verdict: confirm(bytes).verdict, at: bytes.length } : { verdict: 'match', at: 0 };
}

/** An answer is never taken back, so the place is found by halving: the cost is that of a few calls. */
export function settlementOf({ confirm }: Recognizer, bytes: Uint8Array): Settlement {
  if (!confirm) return { verdict: 'match', at: 0 };
  const { verdict } = confirm(bytes);
  if (verdict === 'more') return { verdict, at: bytes.length };
  let [undecided, at] = [0, bytes.length];
  while (at - undecided > 1) {
    const middle = (undecided + at) >> 1;
    if (confirm(bytes.subarray(0, middle)).verdict === 'more') undecided = middle;
    else at = middle;
  }
  return { verdict, at };
}
