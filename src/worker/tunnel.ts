/** What is known of a session whose client asks for a connection to a destination of its own. */
import type { Conversation } from '../forward-proxy/conversation.js';
import type { Destination } from '../forward-proxy/destination.js';

export class Tunnel {
  /** Sniffed bytes that are not the destination's. */
  taken = 0;
  destination: Destination | undefined;
  /** Whom the client has proved to be. */
  user: string | undefined;
  /** The last user and password that the client gave are wrong. */
  hasGuessed = false as boolean;
  /** HTTP status of the answer, or what stands for it in SOCKS; 0: there was none. */
  status = 0;
  /** Gives up what the session waits for. */
  cancel: () => void = () => {};

  /** `source`, `sourceText`: of the client; between turns the current event is another session's. */
  constructor(
    readonly conversation: Conversation,
    readonly source: string,
    readonly sourceText: string,
  ) {}
}
