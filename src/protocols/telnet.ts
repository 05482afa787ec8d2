/** Telnet: a client that negotiates options first. Most clients wait for the server. */
import type { Protocol } from '../model/protocol.js';
import { bytesWhere } from './byte-class.js';

/** Options in use; the rest of IANA's list is obsolete or was never used. */
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
    // FF FE is also the UTF-16 byte order mark, so DONT needs a second command behind it.
    patterns: [`^\\xff[\\xfb-\\xfd]${option}`, `^\\xff\\xfe${option}\\xff[\\xfa-\\xfe]`],
  },
  words: 'IAC, then WILL, WONT, DO or DONT and an option that is in use (FF FB-FE 00 01 03 …)',
  source: 'RFC 854, RFC 855',
};
