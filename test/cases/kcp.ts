import { crc32 } from 'node:zlib';
import { type DatagramCase, hex } from './case.js';

const segment = (command: string, number: string, data: string): string =>
  `44332211 ${command} 00 8000 2fa90ffc ${number} 00000000 ${data}`;

const first = segment('51', '00000000', '03000000 616263');

const u16le = (value: number): Uint8Array => Uint8Array.of(value & 0xff, value >> 8);

/** A kcp-go FEC shard: number, type, size including the size field. */
const shard = (segments: Uint8Array, number = '00000000', type = 'f100'): Uint8Array =>
  Buffer.concat([hex(`${number} ${type}`), u16le(segments.length + 2), segments]);

/** With the header of kcp-go's cipher `none`: nonce, CRC-32 of the rest. */
function ciphered(payload: Uint8Array, spoiled = 0): Uint8Array {
  const crc = Buffer.alloc(4);
  crc.writeUInt32LE((crc32(payload) ^ spoiled) >>> 0);
  return Buffer.concat([hex('400100010041fd0e5ba1c0de4f9e1122'), crc, payload]);
}

/** Of a link between two anyports: head, link id, cookie, Noise's first message, zeros. */
function hello(head: string, { length = 512, last = 0 } = {}): Uint8Array {
  const datagram = Buffer.alloc(length);
  datagram.set(hex(`${head} 7856341278563412`));
  datagram.fill(0x9d, 28, 96);
  datagram[length - 1] = last;
  return datagram;
}

export const datagrams: readonly DatagramCase[] = [
  { why: 'one segment', bytes: hex(first), expect: 'kcp' },
  {
    why: 'two segments',
    bytes: hex(`${first} ${segment('51', '01000000', '01000000 64')}`),
    expect: 'kcp',
  },
  {
    why: 'a push and a question for the window',
    bytes: hex(`${first} ${segment('53', '00000000', '00000000')}`),
    expect: 'kcp',
  },
  {
    why: 'the first part of a message of two',
    bytes: hex(`${first.replace('51 00', '51 01')} ${segment('51', '01000000', '01000000 64')}`),
    expect: 'kcp',
  },
  { why: 'an empty message', bytes: hex(segment('51', '00000000', '00000000')), expect: 'kcp' },
  { why: 'with error correction', bytes: shard(hex(first)), expect: 'kcp' },
  { why: 'behind the header of no cipher, its nonce like CoAP', bytes: ciphered(hex(first)), expect: 'kcp' },
  { why: 'behind both', bytes: ciphered(shard(hex(first))), expect: 'kcp' },
  { why: 'the hello of a link between two anyports', bytes: hello('a9020101'), expect: 'kcp' },
  { why: 'a hello of another version', bytes: hello('a9010101'), expect: null },
  { why: 'a hello with an unknown pattern', bytes: hello('a9020103'), expect: null },
  { why: 'a hello that is cut', bytes: hello('a9020101', { length: 511 }), expect: null },
  { why: 'something behind the hello', bytes: hello('a9020101', { last: 1 }), expect: null },
  { why: 'a CRC that is wrong', bytes: ciphered(shard(hex(first)), 1), expect: null },
  { why: 'a shard of parity opens nothing', bytes: shard(hex(first), '00000000', 'f200'), expect: null },
  { why: 'a shard that is not the first', bytes: shard(hex(first), '01000000'), expect: null },
  { why: 'a shard of another size', bytes: Buffer.concat([shard(hex(first)), hex('00')]), expect: null },
  {
    why: 'a gap in the numbers',
    bytes: hex(`${first} ${segment('51', '02000000', '01000000 64')}`),
    expect: null,
  },
  {
    why: 'something acknowledged already',
    bytes: hex(first.replace('00000000 03000000', '01000000 03000000')),
    expect: null,
  },
  {
    why: 'an acknowledgement beside it',
    bytes: hex(`${first} ${segment('52', '00000000', '00000000')}`),
    expect: null,
  },
  { why: 'a segment of another conversation', bytes: hex(`${first} 99${first.slice(2)}`), expect: null },
  {
    why: 'a number that is not the first',
    bytes: hex(segment('51', '05000000', '01000000 61')),
    expect: null,
  },
  {
    why: 'an acknowledgement opens nothing',
    bytes: hex(segment('52', '00000000', '00000000')),
    expect: null,
  },
  { why: 'data that is not there', bytes: hex(segment('51', '00000000', '09000000 61')), expect: null },
  { why: 'bytes after the last segment', bytes: hex(`${first} 00`), expect: null },
  { why: 'no such command', bytes: hex(segment('55', '00000000', '01000000 61')), expect: null },
];
