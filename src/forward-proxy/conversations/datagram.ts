/** The header of a datagram to a target of a UDP association (RFC 1928 section 7): no answer says how it was judged. */
import type { Conversation, Heard } from '../conversation.js';
import { readSocks5Target } from '../socks5.js';

const NOTHING = new Uint8Array();

export class DatagramConversation implements Conversation {
  readonly granted = NOTHING;

  read(header: Uint8Array): Heard {
    const target = readSocks5Target(header);
    // What the target gets has no header any more.
    return target.verdict === 'request' ? { ...target, taken: 0 } : target;
  }

  refusal(): Uint8Array {
    return NOTHING;
  }
}
