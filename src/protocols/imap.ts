/** IMAP: the client's first command after its tag. */
import type { Protocol } from '../model/protocol.js';
import { anyCase, lineEnd, oneOf, rest, word } from './lines.js';

/** RFC 9051 section 9: ASTRING-CHAR but `+`. */
const tag = "[!#$&',\\-.\\/0-9:;<=>?@A-Z\\[\\]^_`a-z|}~]+";

export const imap: Protocol = {
  id: 'imap',
  transports: ['tcp'],
  // Last in rank: a tag may be any word, including a command of another protocol.
  rank: 95,
  serverFirst: true,
  signature: {
    patterns: [
      `^${tag} ${anyCase(oneOf('CAPABILITY STARTTLS'))}${lineEnd}`,
      `^${tag} ${anyCase('AUTHENTICATE')} ${word}(?: ${word})?${lineEnd}`,
      `^${tag} ${anyCase('LOGIN')} ${word} ${rest}${lineEnd}`,
      // The user name: a quoted string, or a literal in the next line.
      `^${tag} ${anyCase('LOGIN')} (?:"[^\\x00\\r\\n]*" ${rest}|\\{[0-9]+\\+?\\})${lineEnd}`,
      `^${tag} ${anyCase('ID')} (?:\\(|${anyCase('NIL')}${lineEnd})`,
      // Short tags of interactive users only; otherwise any two words would match.
      `^(?:[A-Za-z.]|${tag}[0-9]) ${anyCase(oneOf('NOOP LOGOUT'))}${lineEnd}`,
    ],
    maxBytes: 1024,
  },
  words: 'TAG CAPABILITY, TAG LOGIN USER PASSWORD, TAG AUTHENTICATE … as the first line',
  source: 'RFC 9051 section 6, RFC 3501, 2971',
};
