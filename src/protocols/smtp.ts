/** SMTP and LMTP: client commands after the greeting. */
import type { Protocol } from '../model/protocol.js';
import { anyCase, lineEnd, oneOf, rest } from './lines.js';

const hello = anyCase(oneOf('EHLO HELO LHLO'));

export const smtp: Protocol = {
  id: 'smtp',
  transports: ['tcp'],
  rank: 82,
  serverFirst: true,
  signature: {
    patterns: [`^${hello} ${rest}${lineEnd}`, `^${anyCase('MAIL FROM')}: ?<${rest}${lineEnd}`],
    // RFC 5321 section 4.5.3.1.4, plus room for MAIL parameters.
    maxBytes: 1024,
  },
  words: 'EHLO, HELO or LHLO with a name as the first line',
  source: 'RFC 5321 section 4.1.1.1, RFC 2033',
};
