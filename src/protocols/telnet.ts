/** Telnet: a client that negotiates options first. Most wait for the server instead. */
import type { Protocol } from '../model/protocol.js';

const option = '[\\x00-\\x31]';

export const telnet: Protocol = {
  id: 'telnet',
  transports: ['tcp'],
  rank: 40,
  serverFirst: true,
  signature: {
    // FF FE is also the byte order mark of UTF-16: DONT must be followed by another command.
    patterns: [`^\\xff[\\xfb-\\xfd]${option}`, `^\\xff\\xfe${option}\\xff[\\xfa-\\xfe]`],
  },
  words: 'IAC, then WILL, WONT, DO or DONT and an option (FF FB-FE 00-31)',
  source: 'RFC 854, RFC 855',
};
