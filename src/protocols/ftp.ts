/** FTP: client commands after the greeting, except those that mail clients share (`USER name` is also POP3). */
import type { Protocol } from '../model/protocol.js';
import { anyCase, lineEnd, oneOf, rest, word } from './lines.js';

const alone = anyCase(oneOf('FEAT SYST PASV EPSV'));
const security = anyCase(oneOf('TLS TLS-C TLS-P SSL GSSAPI KERBEROS_V4'));
const anonymous = anyCase(oneOf('anonymous ftp'));

export const ftp: Protocol = {
  id: 'ftp',
  transports: ['tcp'],
  rank: 82,
  serverFirst: true,
  signature: {
    patterns: [
      `^${alone}${lineEnd}`,
      `^${anyCase('AUTH')} ${security}${lineEnd}`,
      `^${anyCase('USER')} ${anonymous}${lineEnd}`,
      `^${anyCase('OPTS UTF')}8(?: ${anyCase('ON')})?${lineEnd}`,
      `^${anyCase('CLNT')} ${rest}${lineEnd}`,
      `^${anyCase('HOST')} ${word}${lineEnd}`,
    ],
    maxBytes: 512,
  },
  words: 'AUTH TLS, FEAT, SYST, OPTS UTF8 ON, USER anonymous … as the first line',
  source: 'RFC 959 section 5.3, RFC 2228, 2389, 4217, 7151',
};
