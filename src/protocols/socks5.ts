/**
 * SOCKS 5: the methods of authentication that a client offers. Where it wants to go it says only when the server has
 * chosen one, so there are no facts.
 */
import type { Protocol } from '../model/protocol.js';

/** More than any client offers. */
const methodsMax = 32;

/** Assigned by IANA, or reserved for private use. */
const method = '[\\x00-\\x09\\x80-\\xfe]';
/** No method is offered twice; the length of a MongoDB message, in little-endian, looks like it. */
const twoMethods = '(?:\\x00[\\x01-\\x09\\x80-\\xfe]|[\\x01-\\x09\\x80-\\xfe][\\x00-\\x09\\x80-\\xfe])';

export const socks5: Protocol = {
  id: 'socks5',
  transports: ['tcp'],
  rank: 40,
  signature: { patterns: [`^\\x05(?:\\x01${method}|${offers().join('|')})`] },
  words: '05, the number of methods, the methods',
  source: 'RFC 1928 section 3',
};

/** Two methods and more, with their number. */
function offers(): string[] {
  return Array.from({ length: methodsMax - 1 }, (_, more) => {
    const count = (more + 2).toString(16).padStart(2, '0');
    return `\\x${count}${twoMethods}${method}{${more}}`;
  });
}
