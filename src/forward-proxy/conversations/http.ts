/** CONNECT over HTTP/1.x. */

import type { RefusalCause } from '../../model/connect-proxy.js';
import { readBasic } from '../basic.js';
import { asksForHead, type ConnectRequest, readConnect } from '../connect.js';
import type { Conversation, Heard, Reply } from '../conversation.js';
import { type Refused, refuse } from '../refusals.js';
import { connectEstablished, httpRefusal } from '../replies.js';

/** Requests on one connection that are answered by 407. */
export const ATTEMPTS_MAX = 4;

type Request = ConnectRequest & { readonly taken: number };

export class HttpConversation implements Conversation {
  readonly granted = connectEstablished;
  readonly #hasUsers: boolean;
  #isHead = false;
  #attempts = 0;

  constructor(hasUsers: boolean) {
    this.#hasUsers = hasUsers;
  }

  read(bytes: Uint8Array): Heard {
    const request = readConnect(bytes);
    this.#isHead = asksForHead(bytes);
    if (request.verdict !== 'request' || !this.#hasUsers) return request;
    const { authorization, taken } = request;
    const waits = bytes.length === taken;
    return {
      verdict: 'identity',
      credentials: authorization === undefined ? null : readBasic(authorization),
      accepted: () => request,
      rejected: (why) => this.#rejected(request, waits, why),
    };
  }

  /** Clients ask without credentials first, or try one scheme after the other, on the same connection. */
  #rejected({ keepsAlive, taken }: Request, waits: boolean, why: string): Reply | Refused {
    this.#attempts += 1;
    // What has come behind the request can only be for its destination.
    if (!keepsAlive || !waits || this.#attempts >= ATTEMPTS_MAX) return refuse('credentials', why);
    return { verdict: 'reply', bytes: httpRefusal({ cause: 'credentials', why, keepsAlive }), taken };
  }

  refusal(cause: RefusalCause, why: string): Uint8Array {
    return httpRefusal({ cause, why, isHead: this.#isHead });
  }
}
