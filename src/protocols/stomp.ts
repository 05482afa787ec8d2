/** STOMP: a CONNECT frame. */
import type { Protocol } from '../model/protocol.js';
import { lineEnd } from './lines.js';

export const stomp: Protocol = {
  id: 'stomp',
  transports: ['tcp'],
  rank: 40,
  signature: {
    // Followed by a header, or by the empty line and NUL of a frame without headers.
    patterns: [`^(?:CONNECT|STOMP)${lineEnd}(?:[^\\x00-\\x20:]+:|${lineEnd}\\x00)`],
    maxBytes: 1024,
  },
  words: 'CONNECT or STOMP alone on a line, then headers',
  source: 'STOMP 1.2',
};
