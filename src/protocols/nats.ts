/** NATS: a client's CONNECT, or the commands of a client that skips it. */
import type { Protocol } from '../model/protocol.js';
import { anyCase, lineEnd, word } from './lines.js';

const space = '[ \\t]+';
const count = '[0-9]{1,9}';

export const nats: Protocol = {
  id: 'nats',
  transports: ['tcp'],
  rank: 40,
  serverFirst: true,
  signature: {
    patterns: [
      // STOMP's CONNECT ends its line here, HTTP's continues with an authority.
      `^${anyCase('CONNECT')}${space}\\{`,
      `^${anyCase('PUB')}${space}${word}${space}(?:${word}${space})?${count}${lineEnd}`,
      `^${anyCase('HPUB')}${space}${word}${space}(?:${word}${space})?${count}${space}${count}${lineEnd}`,
      `^${anyCase('SUB')}${space}${word}${space}(?:${word}${space})?${word}${lineEnd}`,
    ],
    maxBytes: 4096,
  },
  words: 'CONNECT {JSON}, PUB SUBJECT BYTES or SUB SUBJECT ID as the first line',
  source: 'NATS client protocol',
};
