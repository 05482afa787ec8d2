/** Memcached: a text command, in the lower case that the server asks for, or a binary request. */
import type { Confirmation, Protocol } from '../model/protocol.js';
import { asBuffer } from './cursor.js';
import { lineEnd, oneOf, rest, word } from './lines.js';

const number = '[0-9]+';
const seconds = '-?[0-9]+';
const end = `(?: noreply)? *${lineEnd}`;
const flags = `(?: ${word})*`;

const commands = [
  `gets?(?: ${word})+`,
  `gats? ${seconds}(?: ${word})+`,
  `${oneOf('set add replace append prepend')} ${word} ${number} ${seconds} ${number}`,
  `cas ${word} ${number} ${seconds} ${number} ${number}`,
  `${oneOf('incr decr')} ${word} ${number}`,
  `touch ${word} ${seconds}`,
  `delete ${word}(?: 0)?`,
  `stats(?: ${rest})?`,
  'version',
  `verbosity ${number}`,
  `flush_all(?: ${seconds})?`,
  `cache_memlimit ${number}`,
  `${oneOf('slabs lru lru_crawler')} ${rest}`,
  `watch(?: ${oneOf('fetchers mutations evictions connevents proxyreqs proxyevents proxyuser deletions')})+`,
  'mn',
  `${oneOf('mg md ma me')} ${word}${flags}`,
  // Before 1.6.7 the length was a flag.
  `ms ${word} S?${number}${flags}`,
];

const binaryRequest = 0x80;
const headerBytes = 24;
const keyLengthAt = 2;
const extrasLengthAt = 4;
const bodyLengthAt = 8;

export const memcached: Protocol = {
  id: 'memcached',
  transports: ['tcp'],
  // `get / HTTP/1.1` is a command for two keys: what has a version goes first.
  rank: 85,
  signature: {
    patterns: [
      ...commands.map((command) => `^${command}${end}`),
      // Operation, length of the key up to 250, of the extras up to 20, data type 0, body below 64 MiB.
      '^\\x80[\\x00-\\x46]\\x00[\\x00-\\xfa][\\x00-\\x14]\\x00[^]{2}[\\x00-\\x03][^]{15}',
    ],
    maxBytes: 2048,
  },
  confirm: confirmMemcached,
  words: 'a command line such as get KEY, or 80 OPERATION with lengths that add up',
  source: 'memcached protocol.txt, BinaryProtocolRevamped',
};

/** The body of a binary request holds its extras and its key. */
export function confirmMemcached(bytes: Uint8Array): Confirmation {
  if (bytes[0] !== binaryRequest) return { verdict: 'match' };
  if (bytes.length < headerBytes) return { verdict: 'more', bytesNeeded: headerBytes };
  const header = asBuffer(bytes);
  const least = header.readUInt16BE(keyLengthAt) + header.readUInt8(extrasLengthAt);
  return { verdict: header.readUInt32BE(bodyLengthAt) >= least ? 'match' : 'no' };
}
