import { type DatagramCase, hex } from './case.js';

const authenticator = '00112233445566778899aabbccddeeff';
const request = (head: string, attributes = ''): Uint8Array => hex(`${head} ${authenticator} ${attributes}`);

export const datagrams: readonly DatagramCase[] = [
  { why: 'access', bytes: request('01 2a 001b', '01 07 616c696365'), expect: 'radius' },
  { why: 'accounting', bytes: request('04 2a 001a', '28 06 00000001'), expect: 'radius' },
  { why: 'no attributes', bytes: request('0c 01 0014'), expect: 'radius' },
  { why: 'disconnect', bytes: request('28 01 0019', '01 05 626f62'), expect: 'radius' },
  { why: 'an answer opens nothing', bytes: request('02 2a 0014'), expect: null },
  { why: 'shorter than it says', bytes: request('01 2a 001c', '01 07 616c696365'), expect: null },
  { why: 'longer than it says', bytes: request('01 2a 001a', '01 07 616c696365'), expect: null },
  {
    why: 'an attribute that goes past the end',
    bytes: request('01 2a 001b', '01 08 616c696365'),
    expect: null,
  },
  { why: 'an attribute without a length', bytes: request('01 2a 0016', '01 00'), expect: null },
  { why: 'no such attribute', bytes: request('01 2a 0016', '00 02'), expect: null },
];
