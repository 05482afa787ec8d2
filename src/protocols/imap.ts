/** IMAP: a client's first command, after a tag of its own choice. */
import type { Protocol } from '../model/protocol.js';
import { anyCase, lineEnd, oneOf, rest, word } from './lines.js';

/** RFC 9051 section 9: ASTRING-CHAR but `+`. */
const tag = "[!#$&',\\-.\\/0-9:;<=>?@A-Z\\[\\]^_`a-z|}~]+";

export const imap: Protocol = {
  id: 'imap',
  transports: ['tcp'],
  // A tag is any word, another protocol's command included: all others first.
  rank: 95,
  serverFirst: true,
  signature: {
    patterns: [
      `^${tag} ${anyCase(oneOf('CAPABILITY STARTTLS'))}${lineEnd}`,
      `^${tag} ${anyCase('AUTHENTICATE')} ${word}(?: ${word})?${lineEnd}`,
      `^${tag} ${anyCase('LOGIN')} ${word} ${rest}${lineEnd}`,
      // The name is a quoted string or a literal, which follows the line.
      `^${tag} ${anyCase('LOGIN')} (?:"[^\\x00\\r\\n]*" ${rest}|\\{[0-9]+\\+?\\})${lineEnd}`,
      `^${tag} ${anyCase('ID')} (?:\\(|${anyCase('NIL')}${lineEnd})`,
      // The shortest tags of those who type; else any two words would be a command.
      `^(?:[A-Za-z.]|${tag}[0-9]) ${anyCase(oneOf('NOOP LOGOUT'))}${lineEnd}`,
    ],
    maxBytes: 1024,
  },
  words: 'TAG CAPABILITY, TAG LOGIN USER PASSWORD, TAG AUTHENTICATE … as the first line',
  source: 'RFC 9051 section 6, RFC 3501, 2971',
};
