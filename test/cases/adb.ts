import { type Case, hex } from './case.js';

const words = '00 00 00 01 00 10 00 00 07 00 00 00 32 02 00 00';

export const cases: readonly Case[] = [
  {
    why: 'a host connects',
    bytes: hex(`43 4e 58 4e ${words} bc b1 a7 b1 68 6f 73 74 3a 3a 00`),
    expect: { protocol: 'adb', at: 24 },
  },
  { why: 'the complement is not here yet', bytes: hex(`43 4e 58 4e ${words}`), expect: 'more' },
  { why: 'no complement', bytes: hex(`43 4e 58 4e ${words} bc b1 a7 b0`), expect: { unknownAt: 24 } },
];
