/** Redis: a command as a RESP array of bulk strings, which every client library sends, or inline, as people type it. */
import type { Protocol } from '../model/protocol.js';
import { anyCase, lineEnd, word } from './lines.js';
import { inlinePatterns } from './redis-inline.js';

/** HTTP/0.9 asks for a path in the same manner. */
const get = `^${anyCase('GET')} [\\x21-\\x2e\\x30-\\x7e\\x80-\\xff]${word.replace('+', '*')} *${lineEnd}`;

export const redis: Protocol = {
  id: 'redis',
  transports: ['tcp'],
  // A command typed inline is a line that many could send: whoever knows more of it goes first.
  rank: 90,
  signature: {
    patterns: [
      // The digits are bounded as in the server: 1,048,576 arguments, 512 MiB each.
      '^\\*[1-9][0-9]{0,6}\\r\\n\\$[0-9]{1,9}\\r\\n',
      get,
      ...inlinePatterns,
    ],
    // The longest inline command is 64 KiB, the longest that is waited for one line of a terminal.
    maxBytes: 4096,
  },
  words: 'a RESP array of bulk strings (*COUNT CRLF $LENGTH CRLF), or a line with a command of the server',
  source: 'Redis serialization protocol (RESP2, RESP3, inline commands)',
};
