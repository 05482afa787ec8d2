/** Through a SOCKS5 proxy: RFC 1928, with user and password by RFC 1929. Names are looked up by the proxy. */
import { isIPv4, isIPv6 } from 'node:net';
import { addressBytes } from '../base/network.js';
import type { AskVerdict } from '../model/facts.js';
import type { Hop } from '../model/via.js';
import { type Asking, more, type Place, placeText, type Question, refused, unreachable, yes } from './hop.js';

const VERSION = 5;
const NO_AUTHENTICATION = 0;
const USER_AND_PASSWORD = 2;
const NONE_ACCEPTABLE = 0xff;
const CONNECT = 1;

/** Of user, of password and of a name: a length of one byte. */
export const SOCKS5_TEXT_BYTES_MAX = 255;

export const askBySocks5: Asking = (hop, place) =>
  hop.user === null
    ? [greeting([NO_AUTHENTICATION]), request(place)]
    : [greeting([NO_AUTHENTICATION, USER_AND_PASSWORD]), credentials(hop), request(place)];

function greeting(methods: readonly number[]): Question {
  return {
    words: 'a SOCKS5 greeting',
    bytes: Uint8Array.of(VERSION, methods.length, ...methods),
    expected: 2,
    blames: 'proxy',
    judge: ([version, method = NONE_ACCEPTABLE]) => {
      if (version !== VERSION) return refused(NO_SOCKS);
      if (method === NONE_ACCEPTABLE)
        return refused(
          methods.includes(USER_AND_PASSWORD)
            ? 'accepts neither no authentication nor user and password'
            : 'wants authentication, and no user and password are configured',
        );
      if (!methods.includes(method)) return refused(`chooses method ${method}, which was not offered`);
      // Without authentication the credentials are not asked for.
      return yes(2, method === NO_AUTHENTICATION && methods.length > 1 ? 1 : 0);
    },
  };
}

const NO_SOCKS = 'does not answer as a SOCKS5 proxy';

function credentials({ user, password }: Hop): Question {
  return {
    words: 'user and password',
    bytes: Buffer.concat([Uint8Array.of(1), counted(user ?? ''), counted(password ?? '')]),
    expected: 2,
    blames: 'proxy',
    // Of the version, which ought to be 1, some send 5.
    judge: ([, status]) => (status === 0 ? yes(2) : refused('refuses user and password')),
  };
}

function counted(text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8');
  return Buffer.concat([Uint8Array.of(bytes.length), bytes]);
}

function request(place: Place): Question {
  const port = Uint8Array.of(place.port >> 8, place.port & 0xff);
  return {
    words: `a SOCKS5 request for ${placeText(place)}`,
    bytes: Buffer.concat([Uint8Array.of(VERSION, CONNECT, 0), addressOf(place.host), port]),
    expected: 2,
    judge: judgeReply,
  };
}

const IPV4 = 1;
const NAME = 3;
const IPV6 = 4;

function addressOf(host: string): Uint8Array {
  if (isIPv4(host)) return Uint8Array.of(IPV4, ...addressBytes(host));
  if (isIPv6(host)) return Uint8Array.of(IPV6, ...addressBytes(host));
  return Buffer.concat([Uint8Array.of(NAME), counted(host)]);
}

interface Refusal {
  readonly words: string;
  readonly of: typeof unreachable;
}

/** RFC 1928 section 6. */
const refusals: readonly (Refusal | undefined)[] = [
  undefined,
  { words: 'general failure', of: unreachable },
  { words: 'not allowed', of: refused },
  { words: 'network unreachable', of: unreachable },
  { words: 'host unreachable', of: unreachable },
  { words: 'connection refused', of: unreachable },
  { words: 'TTL expired', of: unreachable },
  { words: 'command not supported', of: refused },
  { words: 'address type not supported', of: refused },
];

/** A refusal may be short of its address, and is one all the same. */
function judgeReply(answer: Uint8Array): AskVerdict {
  const [version, reply = 0, , kind, first = 0] = answer;
  if (version !== VERSION) return refused(NO_SOCKS);
  if (reply !== 0) {
    const { words, of } = refusals[reply] ?? { words: 'an unknown reason', of: refused };
    return of(`answers ${reply}, ${words}`);
  }
  if (answer.length < 5) return more(5);
  const length = lengthOf(kind, first);
  if (length === null) return refused(NO_SOCKS);
  return answer.length < length ? more(length) : yes(length);
}

/** Of the whole reply; null: of an unknown kind of address. */
function lengthOf(kind: number | undefined, first: number): number | null {
  const rest = kind === IPV4 ? 4 : kind === IPV6 ? 16 : kind === NAME ? 1 + first : null;
  return rest === null ? null : 4 + rest + 2;
}
