/** A proxy as a URL: `http://user:password@proxy:3128`. No message quotes it, because it may hold a password. */
import { parseEndpoint } from '../base/address.js';
import type { Hop, HopScheme } from '../model/via.js';
import { placeText } from './hop.js';

export type ReadHop = { readonly hop: Hop } | { readonly fault: string };

/** Of user and of password, decoded: what SOCKS5 has room for. */
export const CREDENTIAL_BYTES_MAX = 255;

/** RFC 1928; HTTP proxies have no port of their own. */
const SOCKS_PORT = 1080;

/** As curl names them. With both names of SOCKS5 the proxy looks names up: here nobody could. */
const schemes: Readonly<Record<string, HopScheme>> = {
  http: 'http',
  https: 'https',
  socks5: 'socks5',
  socks5h: 'socks5',
  socks4a: 'socks4a',
};

/** Up to the last `@` stands who asks. */
const PARTS = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/(?:(.*)@)?([^@/]*)\/?$/s;

export function readHop(text: string): ReadHop {
  const [, name = '', credentials, authority = ''] = PARTS.exec(text) ?? [];
  const scheme = schemes[name.toLowerCase()];
  if (scheme === undefined) return { fault: schemeFault(name.toLowerCase()) };
  const place = parseEndpoint(withPort(authority, scheme));
  if (place === null || !('host' in place)) return { fault: placeFault(authority, scheme) };
  const who = readCredentials(credentials, scheme);
  return 'fault' in who ? who : { hop: { scheme, ...place, ...who } };
}

const KNOWN = '`http://`, `https://`, `socks5://` or `socks4a://`';

function schemeFault(name: string): string {
  if (name === '') return `it begins with ${KNOWN}, and nothing follows its port`;
  if (name === 'socks4') return 'SOCKS4 can not look up names: write `socks4a://`';
  if (name === 'socks') return 'write `socks5://` or `socks4a://`';
  return `it begins with ${KNOWN}`;
}

const withPort = (authority: string, scheme: HopScheme): string =>
  scheme.startsWith('socks') && !/:\d+$/.test(authority) ? `${authority}:${SOCKS_PORT}` : authority;

function placeFault(authority: string, scheme: HopScheme): string {
  const isLacking = parseEndpoint(`${authority}:1`) !== null;
  if (isLacking && authority !== '') return `the port is missing: write \`${scheme}://${authority}:3128\``;
  return 'its host is a name or an address, with a port from 1 to 65535; an IPv6 address is in brackets';
}

type Credentials = Pick<Hop, 'user' | 'password'>;

function readCredentials(
  text: string | undefined,
  scheme: HopScheme,
): Credentials | { readonly fault: string } {
  if (text === undefined) return { user: null, password: null };
  if (/[@/?#\s]/.test(text) || text.split(':').length > 2)
    return {
      fault:
        'in user and password write `%40` for `@`, `%2F` for `/`, `%3A` for `:`, `%3F` for `?` and `%23` for `#`',
    };
  const [user, password] = text.split(':').map(decoded);
  if (user === null || password === null)
    return {
      fault: 'in user and password a `%` is followed by two hexadecimal digits of UTF-8: write `%25` for `%`',
    };
  const fault = user === undefined ? null : credentialsFault(user, password, scheme);
  return fault === null ? { user: user ?? null, password: password ?? null } : { fault };
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

function credentialsFault(user: string, password: string | undefined, scheme: HopScheme): string | null {
  const texts = [user, password ?? ''];
  if (user === '') return 'the user is missing before `:` or `@`';
  if (texts.some((text) => Buffer.byteLength(text) > CREDENTIAL_BYTES_MAX))
    return `user and password have at most ${CREDENTIAL_BYTES_MAX} bytes each`;
  if (texts.some((text) => /\p{Cc}/u.test(text))) return 'user and password have no control characters';
  if (scheme === 'socks5' && !password) return 'SOCKS5 wants user and password: write `user:password@`';
  if (scheme === 'socks4a' && password !== undefined)
    return 'SOCKS4 has a user, and no password: write `user@`';
  if (scheme.startsWith('http') && user.includes(':')) return 'a user of HTTP has no colon';
  return null;
}

/** Without user and password. */
export const hopText = (hop: Hop): string => `${hop.scheme}://${placeText(hop)}`;

/** As it may be written; it holds the password. */
export function hopUrl({ user, password, ...hop }: Hop): string {
  const who = [user, password].filter((text) => text !== null).map(encoded);
  return `${hop.scheme}://${who.length === 0 ? '' : `${who.join(':')}@`}${placeText(hop)}`;
}

const encoded = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (each) => `%${each.charCodeAt(0).toString(16)}`);
