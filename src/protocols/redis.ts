/** Redis: a RESP array of bulk strings (every client library), or an inline command (people). */
import type { Protocol } from '../model/protocol.js';
import { anyCase, lineEnd, word } from './lines.js';
import { inlinePatterns } from './redis-inline.js';

/** Not a path: HTTP/0.9 has `GET /path`. */
const get = `^${anyCase('GET')} [\\x21-\\x2e\\x30-\\x7e\\x80-\\xff]${word.replace('+', '*')} *${lineEnd}`;

export const redis: Protocol = {
  id: 'redis',
  transports: ['tcp'],
  // Inline commands are lines that other protocols could send, so those rank first.
  rank: 90,
  signature: {
    patterns: [
      // Digits bounded by the server's limits: 1,048,576 arguments, 512 MiB each.
      '^\\*[1-9][0-9]{0,6}\\r\\n\\$[0-9]{1,9}\\r\\n',
      get,
      ...inlinePatterns,
    ],
    // Upper bound on an inline command: a terminal's line. The server's limit is 64 KiB.
    maxBytes: 4096,
  },
  words: 'a RESP array of bulk strings (*COUNT CRLF $LENGTH CRLF), or a line with a command of the server',
  source: 'Redis serialization protocol (RESP2, RESP3, inline commands)',
};
