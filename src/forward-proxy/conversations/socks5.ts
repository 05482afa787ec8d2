/** SOCKS 5: a method of authentication is agreed on, then the user says who he is, then comes the request. */

import type { RefusalCause } from '../../model/connect-proxy.js';
import type { Conversation, Heard, Reply } from '../conversation.js';
import { refuse } from '../refusals.js';
import {
  socks5Credentials,
  socks5Granted,
  socks5Method,
  socks5Refusal,
  socks5Unacceptable,
} from '../replies.js';
import { methods, readSocks5Credentials, readSocks5Greeting, readSocks5Request } from '../socks5.js';

type Stage = 'greeting' | 'credentials' | 'request';

export class Socks5Conversation implements Conversation {
  readonly granted = socks5Granted;
  readonly #method: number;
  readonly #servesUdp: boolean;
  #stage: Stage = 'greeting';

  constructor(hasUsers: boolean, servesUdp: boolean) {
    this.#servesUdp = servesUdp;
    this.#method = hasUsers ? methods.password : methods.none;
  }

  read(bytes: Uint8Array): Heard {
    if (this.#stage === 'greeting') return this.#readGreeting(bytes);
    if (this.#stage === 'credentials') return this.#readCredentials(bytes);
    return readSocks5Request(bytes, this.#servesUdp);
  }

  #readGreeting(bytes: Uint8Array): Heard {
    const greeting = readSocks5Greeting(bytes);
    if (greeting.verdict !== 'greeting') return greeting;
    if (!greeting.methods.includes(this.#method))
      return refuse(
        'credentials',
        this.#method === methods.none
          ? 'the client offers no method without authentication'
          : 'the client offers no user and password',
      );
    this.#stage = this.#method === methods.none ? 'request' : 'credentials';
    return { verdict: 'reply', bytes: socks5Method(this.#method), taken: greeting.taken };
  }

  #readCredentials(bytes: Uint8Array): Heard {
    const read = readSocks5Credentials(bytes);
    if (read.verdict !== 'credentials') return read;
    const { credentials, taken } = read;
    const accepted = (): Reply => {
      this.#stage = 'request';
      return { verdict: 'reply', bytes: socks5Credentials(true), taken };
    };
    // RFC 1929 section 2: the connection must be closed then.
    return { verdict: 'identity', credentials, accepted, rejected: (why) => refuse('credentials', why) };
  }

  refusal(cause: RefusalCause): Uint8Array {
    if (this.#stage === 'greeting') return socks5Unacceptable;
    return this.#stage === 'credentials' ? socks5Credentials(false) : socks5Refusal(cause);
  }
}
