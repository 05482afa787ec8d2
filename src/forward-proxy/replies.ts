/** What a client is told: that its tunnel is there, or why it is not. */
import type { RefusalCause } from '../model/connect-proxy.js';
import { type Refusal, refusals } from './refusals.js';
import { methods } from './socks5.js';

/** Name of this proxy in `Proxy-Status`, and what its users are asked for. */
const PROXY = 'anyport';
const CHALLENGE = `Proxy-Authenticate: Basic realm="${PROXY}", charset="UTF-8"`;

const crlf = '\r\n';
const lines = (...each: readonly string[]): string => each.map((line) => line + crlf).join('');

/** RFC 9110 section 9.3.6: a successful answer has no content, and no header that says there was some. */
export const connectEstablished = Buffer.from(lines('HTTP/1.1 200 Connection established', ''));

export interface HttpRefusal {
  readonly cause: RefusalCause;
  readonly why: string;
  /** The client may try again on the same connection. */
  readonly keepsAlive?: boolean;
  /** Asked for by HEAD. */
  readonly isHead?: boolean;
}

export function httpRefusal({ cause, why, keepsAlive = false, isHead = false }: HttpRefusal): Buffer {
  const { status, phrase, type }: Refusal = refusals[cause];
  const content = Buffer.from(`${why}\n`);
  const head = lines(
    `HTTP/1.1 ${status} ${phrase}`,
    ...(cause === 'credentials' ? [CHALLENGE] : []),
    ...(cause === 'command' ? ['Allow: CONNECT'] : []),
    // RFC 9209: clients show the head of a refusal, and seldom its content.
    `Proxy-Status: ${PROXY}; error=${type}; details=${quoted(why)}`,
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${content.length}`,
    `Connection: ${keepsAlive ? 'keep-alive' : 'close'}`,
    '',
  );
  return isHead ? Buffer.from(head) : Buffer.concat([Buffer.from(head), content]);
}

/** RFC 8941 section 3.3.3. */
const quoted = (text: string): string =>
  `"${text.replace(/[^\x20-\x7e]/g, '?').replace(/["\\]/g, (character) => `\\${character}`)}"`;

/** Port and address of the proxy's end, which clients have no use for; `ssh -D` answers likewise. */
const anyAddress = [0, 0, 0, 0, 0, 0] as const;

export const socks4Granted = Buffer.from([0, 90, ...anyAddress]);
export const socks4Refusal = (cause: RefusalCause): Buffer =>
  Buffer.from([0, refusals[cause].socks4, ...anyAddress]);

export const socks5Method = (method: number): Buffer => Buffer.from([5, method]);
export const socks5Unacceptable = socks5Method(methods.unacceptable);
/** RFC 1929 section 2. */
export const socks5Credentials = (areRight: boolean): Buffer => Buffer.from([1, areRight ? 0 : 1]);
export const socks5Granted = Buffer.from([5, 0, 0, 1, ...anyAddress]);
export const socks5Refusal = (cause: RefusalCause): Buffer =>
  Buffer.from([5, refusals[cause].socks5, 0, 1, ...anyAddress]);
