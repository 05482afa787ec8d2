/** SOCKS 4 and 4a: one request, and no password. */

import type { RefusalCause } from '../../model/connect-proxy.js';
import type { Conversation, Heard } from '../conversation.js';
import { refuse } from '../refusals.js';
import { socks4Granted, socks4Refusal } from '../replies.js';
import { readSocks4 } from '../socks4.js';

export class Socks4Conversation implements Conversation {
  readonly granted = socks4Granted;
  readonly #hasUsers: boolean;

  constructor(hasUsers: boolean) {
    this.#hasUsers = hasUsers;
  }

  read(bytes: Uint8Array): Heard {
    const request = readSocks4(bytes);
    return request.verdict === 'request' && this.#hasUsers
      ? refuse('credentials', 'SOCKS 4 has no password: use SOCKS 5 or HTTP CONNECT')
      : request;
  }

  refusal(cause: RefusalCause): Uint8Array {
    return socks4Refusal(cause);
  }
}
