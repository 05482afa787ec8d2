import { type DatagramCase, hex } from './case.js';

const random = '00'.repeat(32);
/** Session id, cookie, one suite, no compression. */
const choices = '00 00 0002 c02f 01 00';
const body = `${random} ${choices}`;
const hello = `fefd ${body}`;

/** One record with one fragment; lengths are correct unless given. */
const record = (
  fragment: string,
  { length = '00002a', offset = '000000', bytes = '0036', size = '00002a' } = {},
) => hex(`16 feff 0000 000000000000 ${bytes} 01 ${length} 0000 ${offset} ${size} ${fragment}`);

export const datagrams: readonly DatagramCase[] = [
  { why: 'a hello', bytes: record(hello), expect: 'dtls' },
  {
    why: 'a hello of what was spoken before DTLS 1.0',
    bytes: hex(`16 0100 0000 000000000000 0036 01 00002a 0000 000000 00002a 0100 ${body}`),
    expect: 'dtls',
  },
  {
    why: 'a hello of a version that does not exist yet',
    bytes: record(`fefc ${body}`),
    expect: 'dtls',
  },
  { why: 'a hello of DTLS 1.0', bytes: record(`feff ${body}`), expect: 'dtls' },
  {
    why: 'the first of two fragments',
    bytes: record(`fefd ${random}`, { size: '000022', bytes: '002e' }),
    expect: 'dtls',
  },
  {
    why: 'a later fragment does not tell',
    bytes: record(choices, { offset: '000022', size: '000008', bytes: '0014' }),
    expect: null,
  },
  { why: 'no such version', bytes: record(`0303 ${body}`), expect: null },
  { why: 'a record that is cut', bytes: record(hello).subarray(0, -1), expect: null },
  { why: 'a fragment larger than its record', bytes: record(hello, { size: '00002b' }), expect: null },
  { why: 'a fragment larger than its hello', bytes: record(hello, { length: '000029' }), expect: null },
  {
    why: 'application data',
    bytes: hex('17 fefd 0001 000000000001 0010 00112233445566778899aabbccddeeff'),
    expect: null,
  },
];
