/** POP3: client commands after the greeting, except `USER name`, which FTP clients also send. */
import type { Protocol } from '../model/protocol.js';
import { anyCase, lineEnd, oneOf, word } from './lines.js';

const alone = anyCase(oneOf('CAPA STLS AUTH'));
const mechanism = anyCase(
  oneOf(`
    PLAIN LOGIN NTLM CRAM-MD5 DIGEST-MD5 SCRAM-SHA-1 SCRAM-SHA-1-PLUS SCRAM-SHA-256 SCRAM-SHA-256-PLUS SCRAM-SHA-512
    EXTERNAL ANONYMOUS OTP XOAUTH2 OAUTHBEARER
  `),
);

export const pop3: Protocol = {
  id: 'pop3',
  transports: ['tcp'],
  rank: 82,
  serverFirst: true,
  signature: {
    patterns: [
      `^${alone}${lineEnd}`,
      `^${anyCase('APOP')} ${word} [0-9a-fA-F]{32}${lineEnd}`,
      // SMTP has the same line, but only after EHLO.
      `^${anyCase('AUTH')} ${mechanism}(?: ${word})?${lineEnd}`,
    ],
    maxBytes: 512,
  },
  words: 'CAPA, STLS, APOP or AUTH MECHANISM as the first line',
  source: 'RFC 1939, 2449, 2595, 5034',
};
