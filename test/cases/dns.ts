import { type Case, type DatagramCase, hex } from './case.js';

const name = '07 65 78 61 6d 70 6c 65 03 63 6f 6d 00';
const question = `${name} 00 01 00 01`;
const query = `12 34 01 00 00 01 00 00 00 00 00 00 ${question}`;
const opt = '00 00 29 04 d0 00 00 00 00 00 00';
const update = `12 34 28 00 00 01 00 00 00 01 00 00 ${name} 00 06 00 01 01 61 c0 0c 00 01 00 01 00 00 00 3c 00 04 c0 00 02 01`;
const netbios = `80 f0 00 10 00 01 00 00 00 00 00 00 20 ${'43'.repeat(32)} 00 00 21 00 01`;

/** With the length prefix of TCP. */
function stream(digits: string): Uint8Array {
  const message = hex(digits);
  return Buffer.concat([Uint8Array.of(message.length >> 8, message.length & 0xff), message]);
}

/** Enough records for an update to exceed the validation limit. */
const records = 255;
const large = stream(
  `12 34 28 00 00 01 00 00 00 ff 00 00 ${name} 00 06 00 01 ${`c0 0c 00 10 00 01 00 00 00 3c 00 08 ${'61'.repeat(8)}`.repeat(records)}`,
);

export const cases: readonly Case[] = [
  { why: 'a query', bytes: stream(query), expect: { protocol: 'dns', at: 31 } },
  {
    why: 'two queries',
    bytes: Buffer.concat([stream(query), stream(query)]),
    expect: { protocol: 'dns', at: 31 },
  },
  {
    why: 'EDNS',
    bytes: stream(`12 34 01 20 00 01 00 00 00 00 00 01 ${question} ${opt}`),
    expect: { protocol: 'dns', at: 42 },
  },
  { why: 'an update with a pointer', bytes: stream(update), expect: { protocol: 'dns', at: 49 } },
  { why: 'a large update', bytes: large, expect: { protocol: 'dns', at: 4096 } },
  {
    why: 'STATUS asks nothing',
    bytes: stream('00 00 10 00 00 00 00 00 00 00 00 00'),
    expect: { protocol: 'dns', at: 14 },
  },
  {
    why: 'no question, but a cookie for the server',
    bytes: stream(`12 34 01 00 00 00 00 00 00 00 00 01 ${opt}`),
    expect: { protocol: 'dns', at: 25 },
  },
  {
    why: 'memcached in binary: an opaque value is no count',
    bytes: hex('80 0b 00 00 00 00 00 00 00 00 00 00 00 01 00 02 00 00 00 00 00 00 00 00'),
    expect: { protocol: 'memcached', at: 24 },
  },
  { why: 'half a name', bytes: stream(query).subarray(0, 20), expect: 'more' },
  { why: 'an answer', bytes: stream(`12 34 81 80 ${query.slice(12)}`), expect: { unknownAt: 5 } },
  { why: 'a length below a header', bytes: hex('00 05 12 34 01 00 00 01'), expect: { unknownAt: 2 } },
  { why: 'a byte too many in the message', bytes: stream(`${query} 00`), expect: { unknownAt: 31 } },
  {
    why: 'a pointer forward',
    bytes: stream('12 34 01 00 00 01 00 00 00 00 00 00 c0 20 00 01 00 01'),
    expect: { unknownAt: 16 },
  },
  {
    why: 'a label of 64 bytes',
    bytes: stream(`12 34 01 00 00 01 00 00 00 00 00 00 40 ${'61'.repeat(64)}`),
    expect: { unknownAt: 15 },
  },
  {
    why: 'no such class',
    bytes: stream(`12 34 01 00 00 01 00 00 00 00 00 00 ${name} 00 01 00 09`),
    expect: { unknownAt: 31 },
  },
];

export const datagrams: readonly DatagramCase[] = [
  { why: 'a query', bytes: hex(query), expect: 'dns' },
  { why: 'an update', bytes: hex(update), expect: 'dns' },
  {
    why: 'multicast: several questions, the second with a pointer',
    bytes: hex(`00 00 00 00 00 02 00 00 00 00 00 00 ${question} c0 0c 00 1c 80 01`),
    expect: 'dns',
  },
  {
    why: 'several questions are no query to a server',
    bytes: hex(`12 34 01 00 00 02 00 00 00 00 00 00 ${question} ${question}`),
    expect: null,
  },
  { why: 'an answer', bytes: hex(`12 34 81 80 ${query.slice(12)}`), expect: null },
  { why: 'half a name', bytes: hex(query).subarray(0, 20), expect: null },
  { why: 'a byte too many', bytes: hex(`${query} 00`), expect: null },
  { why: 'NetBIOS asks in the same form', bytes: hex(netbios), expect: null },
];
