/** Memcached: a lower-case text command (the server requires lower case), or a binary request. */
import type { Confirmation, Protocol } from '../model/protocol.js';
import { bytesWhere } from './byte-class.js';
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
  `${oneOf('mg md ma me')} ${word}${flags}`,
  // Before 1.6.7 the length was written as a flag: `S100`.
  `ms ${word} S?${number}${flags}`,
];

/** Too short to be certain without its line end. */
const noOperation = 'mn *\\r\\n';

/** Shape of a binary request by opcode: key, allowed extras lengths, value. */
interface Form {
  readonly operations: readonly number[];
  readonly key: 'none' | 'one' | 'any';
  readonly extras: readonly number[];
  readonly value?: true;
}

/** Includes the quiet variants; TAP, HELLO and SASL are also Couchbase's. */
const forms: readonly Form[] = [
  { operations: [0x00, 0x04, 0x09, 0x0c, 0x0d, 0x14], key: 'one', extras: [0] }, // get, delete
  { operations: [0x01, 0x02, 0x03, 0x11, 0x12, 0x13], key: 'one', extras: [8], value: true }, // set, add, replace
  { operations: [0x05, 0x06, 0x15, 0x16], key: 'one', extras: [20] }, // increment, decrement
  { operations: [0x07, 0x0a, 0x0b, 0x17, 0x20], key: 'none', extras: [0] }, // quit, no-op, version, SASL list
  { operations: [0x08, 0x18], key: 'none', extras: [0, 4] }, // flush
  { operations: [0x0e, 0x0f, 0x19, 0x1a, 0x21, 0x22], key: 'one', extras: [0], value: true }, // append, prepend, SASL
  { operations: [0x10], key: 'any', extras: [0] }, // statistics
  { operations: [0x1b], key: 'none', extras: [4] }, // verbosity
  { operations: [0x1c, 0x1d, 0x1e, 0x23, 0x24], key: 'one', extras: [4] }, // touch, get and touch
  { operations: [0x1f], key: 'any', extras: [0], value: true }, // hello
  { operations: [0x40], key: 'any', extras: [0, 4], value: true }, // TAP connect
];

const keyLengths = { none: '\\x00', one: '[\\x01-\\xfa]', any: '[\\x00-\\xfa]' } as const;
const byteIn = (values: readonly number[]): string => bytesWhere((byte) => values.includes(byte));

/** Data type 0, vbucket below 1024; a body below 64 MiB with a value, below 512 bytes without. */
function requestPattern({ operations, key, extras, value }: Form): string {
  const bodyLength = value ? '[\\x00-\\x03][^]{3}' : '\\x00\\x00[\\x00\\x01][^]';
  return `^\\x80${byteIn(operations)}\\x00${keyLengths[key]}${byteIn(extras)}\\x00[\\x00-\\x03][^]${bodyLength}[^]{12}`;
}

const binaryRequest = 0x80;
const headerBytes = 24;
const keyLengthAt = 2;
const extrasLengthAt = 4;
const bodyLengthAt = 8;

export const memcached: Protocol = {
  id: 'memcached',
  transports: ['tcp'],
  // `get / HTTP/1.1` is also a request for two keys: protocols with a version rank first.
  rank: 85,
  signature: {
    patterns: [
      ...commands.map((command) => `^${command}${end}`),
      `^${noOperation}`,
      ...forms.map(requestPattern),
    ],
    maxBytes: 2048,
  },
  confirm: confirmMemcached,
  words: 'a command line such as get KEY, or 80 OPERATION with the key, extras and body that it takes',
  source: 'memcached protocol.txt, BinaryProtocolRevamped',
};

/** The body must consist of extras and key, and of a value where the opcode has one. */
export function confirmMemcached(bytes: Uint8Array): Confirmation {
  if (bytes[0] !== binaryRequest) return { verdict: 'match' };
  if (bytes.length < headerBytes) return { verdict: 'more', bytesNeeded: headerBytes };
  const header = asBuffer(bytes);
  const least = header.readUInt16BE(keyLengthAt) + header.readUInt8(extrasLengthAt);
  const rest = header.readUInt32BE(bodyLengthAt) - least;
  return { verdict: rest === 0 || (rest > 0 && hasValue(header.readUInt8(1))) ? 'match' : 'no' };
}

const hasValue = (operation: number): boolean =>
  forms.some(({ operations, value }) => value === true && operations.includes(operation));
