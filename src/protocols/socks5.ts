/**
 * SOCKS 5: the methods of authentication that a client offers. Where it wants to go it says only when the server has
 * chosen one, so there are no facts.
 */
import type { Confirmation, Protocol } from '../model/protocol.js';
import { match, more, no } from './confirmation.js';

/** Assigned by IANA; the others are for private use, and only the first of them is offered alone. */
const assigned: readonly number[] = [0x00, 0x01, 0x02, 0x03, 0x05, 0x06, 0x07, 0x08, 0x09];
const firstPrivate = 0x80;
/** Without authentication, GSSAPI, user name and password. */
const commonMax = 0x02;

const method = '[\\x00-\\x03\\x05-\\x09\\x80-\\xfe]';
const alone = '[\\x00-\\x03\\x05-\\x09\\x80]';
/** All that are assigned and a private one: none is offered twice. */
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

/** Two methods and more, with their number. */
function offers(): string[] {
  return Array.from({ length: methodsMax - 1 }, (_, others) => {
    const count = others + 2;
    return `^\\x05\\x0${count.toString(16)}${method}{${count}}`;
  });
}

/** No method is offered twice: the length of a MongoDB message, in little-endian, looks like that. */
export function confirmSocks5(bytes: Uint8Array): Confirmation {
  const end = headerBytes + (bytes[1] ?? 0);
  if (bytes.length < Math.max(end, headerBytes)) return more(Math.max(end, headerBytes));
  const methods = [...bytes.subarray(headerBytes, end)];
  if (methods.length === 1) return match;
  const own = methods.filter((each) => each >= firstPrivate);
  // A private method is offered beside common ones, and no client has two.
  const isUsual = own.length === 0 || (own.length === 1 && methods.some((each) => each <= commonMax));
  return isUsual && new Set(methods).size === methods.length ? match : no;
}
