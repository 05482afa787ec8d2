import { type Case, hex } from './case.js';

const field = '61'.repeat(3) + '00'.repeat(27);
const fields = `${field}03`.repeat(4);

export const cases: readonly Case[] = [
  {
    why: 'a pre-login',
    bytes: hex('12 01 00 34 00 00 00 00 00 00 15 00 06 01 00 1b 00 01'),
    expect: { protocol: 'tds', at: 13 },
  },
  { why: 'a pre-login that is not all here', bytes: hex('12 01 00 34 00 00 00 00 00 00 15'), expect: 'more' },
  {
    why: 'a login of TDS 7.1 without a pre-login',
    bytes: hex('10 01 00 90 00 00 01 00 88 00 00 00 01 00 00 71 00 10 00 00'),
    expect: { protocol: 'tds', at: 16 },
  },
  {
    why: 'a login of TDS 5',
    bytes: hex(`02 00 02 00 00 00 00 00 ${fields} 03 01 06 0a 09 01`),
    expect: { protocol: 'tds', at: 137 },
  },
  { why: 'no version first', bytes: hex('12 01 00 34 00 00 00 00 01 00 15 00 06'), expect: { unknownAt: 9 } },
  {
    why: 'a packet of its header',
    bytes: hex('12 01 00 08 00 00 00 00 00 00 15 00 06'),
    expect: { unknownAt: 13 },
  },
];
