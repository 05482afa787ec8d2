/**
 * SOCKS 5: the client's authentication methods. The destination comes after the server's choice, so there are no
 * facts.
 */
import type { Confirmation, Protocol } from '../model/protocol.js';
import { match, more, no } from './confirmation.js';

/** Assigned by IANA. Of the private methods only 0x80 occurs alone. */
const assigned: readonly number[] = [0x00, 0x01, 0x02, 0x03, 0x05, 0x06, 0x07, 0x08, 0x09];
const firstPrivate = 0x80;
/** No authentication, GSSAPI, user name and password. */
const commonMax = 0x02;

const method = '[\\x00-\\x03\\x05-\\x09\\x80-\\xfe]';
const alone = '[\\x00-\\x03\\x05-\\x09\\x80]';
/** All assigned methods and one private; no method occurs twice. */
const methodsMax = assigned.length + 1;
const headerBytes = 2;

export const socks5: Protocol = {
  id: 'socks5',
  transports: ['tcp'],
  rank: 40,
  signature: { patterns: [`^\\x05\\x01${alone}`, ...offers()] },
  confirm: confirmSocks5,
  words: '05, the number of methods, the methods, each of them once',
  source: 'RFC 1928 section 3',
};

/** Patterns for two methods and more. */
function offers(): string[] {
  return Array.from({ length: methodsMax - 1 }, (_, others) => {
    const count = others + 2;
    return `^\\x05\\x0${count.toString(16)}${method}{${count}}`;
  });
}

/** No duplicate methods: excludes MongoDB, whose little-endian length looks alike. */
export function confirmSocks5(bytes: Uint8Array): Confirmation {
  const end = headerBytes + (bytes[1] ?? 0);
  if (bytes.length < Math.max(end, headerBytes)) return more(Math.max(end, headerBytes));
  const methods = [...bytes.subarray(headerBytes, end)];
  if (methods.length === 1) return match;
  const own = methods.filter((each) => each >= firstPrivate);
  // At most one private method, and only beside a common one.
  const isUsual = own.length === 0 || (own.length === 1 && methods.some((each) => each <= commonMax));
  return isUsual && new Set(methods).size === methods.length ? match : no;
}
