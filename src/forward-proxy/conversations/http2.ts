/** HTTP/2, which is refused: on the stream of the first request, or after a silence, for clients may wait for the server's SETTINGS. */

import type { RefusalCause } from '../../model/connect-proxy.js';
import type { Conversation, Heard } from '../conversation.js';
import { readHttp2, refuseHttp2 } from '../http2.js';
import { refuse } from '../refusals.js';

/** Silence behind the client's SETTINGS: above the delay of a request that is sent right behind them. */
const QUIET_MS = 200;

export class Http2Conversation implements Conversation {
  readonly granted = new Uint8Array();
  #opening = readHttp2(new Uint8Array());

  read(bytes: Uint8Array, isQuiet: boolean): Heard {
    this.#opening = readHttp2(bytes);
    if (this.#opening.stream > 0 || isQuiet)
      return refuse('version', 'HTTP/2 is not served here, only CONNECT in HTTP/1.1');
    return { verdict: 'more', bytesNeeded: bytes.length + 1, quietMs: QUIET_MS };
  }

  refusal(_cause: RefusalCause, why: string): Uint8Array {
    return refuseHttp2(this.#opening, why);
  }
}
