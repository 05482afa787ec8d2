/** MongoDB: a message header with a request opcode. */
import type { Protocol } from '../model/protocol.js';

/** OP_QUERY, OP_MSG, OP_COMPRESSED. */
const opcode = '(?:\\xd4\\x07|\\xdd\\x07|\\xdc\\x07)\\x00\\x00';

export const mongodb: Protocol = {
  id: 'mongodb',
  transports: ['tcp'],
  rank: 47,
  // Length below 64 KiB, request id, response-to 0 (some clients: -1), opcode.
  signature: {
    patterns: [`^[^]{2}\\x00\\x00[^]{4}(?:\\x00{4}|\\xff{4})${opcode}`],
    // Header, flags and an empty document.
    checks: ['u16le(0) >= 25'],
  },
  words: 'LENGTH, request id, response to 0 or -1, opcode 2004, 2012 or 2013 (little-endian)',
  source: 'MongoDB wire protocol',
};
