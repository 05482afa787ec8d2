/** IRC: the registration of a client, a gateway or another server. */
import type { Protocol } from '../model/protocol.js';
import { anyCase, lineEnd, oneOf, rest, word } from './lines.js';

const capabilities = `${anyCase('CAP')} ${anyCase(oneOf('LS LIST REQ END'))}(?: ${rest})?${lineEnd}`;
const registration = anyCase(oneOf('NICK USER SERVICE SERVER CAP CAPAB PROTOCTL'));

export const irc: Protocol = {
  id: 'irc',
  transports: ['tcp'],
  rank: 82,
  signature: {
    patterns: [
      `^${capabilities}`,
      `^${anyCase('NICK')} ${rest}${lineEnd}`,
      // Four parameters: USER has only one in FTP and POP3.
      `^${anyCase('USER')} ${word} ${word} ${word} ${rest}${lineEnd}`,
      `^${anyCase('SERVER')} ${word} ${rest}${lineEnd}`,
      `^${anyCase('WEBIRC')} ${word} ${rest}${lineEnd}`,
      `^${anyCase('PROTOCTL')} ${rest}${lineEnd}`,
      // PASS must be followed by a registration: alone it could be FTP or POP3.
      `^${anyCase('PASS')} ${rest}${lineEnd}${registration} `,
    ],
    maxBytes: 1024,
  },
  words: 'CAP LS, NICK, USER with four parameters, PASS before one of these, WEBIRC or SERVER',
  source: 'RFC 2812 section 3.1, RFC 2813 section 4.1, IRCv3 capability negotiation',
};
