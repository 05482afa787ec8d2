/** RTMP and its encrypted kin: the client's C0 and C1, which are sent as one. */
import type { Protocol } from '../model/protocol.js';

/** C0 is a byte, C1 1536. A shorter flight may be anybody's: the rest of C1 is random. */
const openingBytes = 1 + 1536;

export const rtmp: Protocol = {
  id: 'rtmp',
  transports: ['tcp'],
  rank: 41,
  // After the version (3 plain, 6 and 8 encrypted) a time, then zeros or the version of a Flash player.
  signature: {
    patterns: ['^\\x03[^]{4}\\x00{4}', '^[\\x03\\x06\\x08][^]{4}[\\x05-\\x40\\x80][\\x00-\\x0f][^]{2}'],
    minBytes: openingBytes,
  },
  words: '03 (06, 08: encrypted), time, zeros or a player version; 1537 bytes',
  source: "Adobe's Real Time Messaging Protocol 1.0 section 5.2",
};
