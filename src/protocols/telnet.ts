/** Telnet: a client that negotiates options first. Most wait for the server instead. */
import type { Protocol } from '../model/protocol.js';
import { bytesWhere } from './byte-class.js';

/** Options that are in use; the others of IANA's list never were, or no more. */
const option = bytesWhere((byte) =>
  [
    0, 1, 3, 5, 6, 18, 21, 23, 24, 25, 29, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47,
    49,
  ].includes(byte),
);

export const telnet: Protocol = {
  id: 'telnet',
  transports: ['tcp'],
  rank: 40,
  serverFirst: true,
  signature: {
    // FF FE is also the byte order mark of UTF-16: DONT must be followed by another command.
    patterns: [`^\\xff[\\xfb-\\xfd]${option}`, `^\\xff\\xfe${option}\\xff[\\xfa-\\xfe]`],
  },
  words: 'IAC, then WILL, WONT, DO or DONT and an option that is in use (FF FB-FE 00 01 03 …)',
  source: 'RFC 854, RFC 855',
};
