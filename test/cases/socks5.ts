import { type Case, hex } from './case.js';

export const cases: readonly Case[] = [
  { why: 'no authentication', bytes: hex('05 01 00'), expect: { protocol: 'socks5', at: 3 } },
  { why: 'three methods', bytes: hex('05 03 00 01 02'), expect: { protocol: 'socks5', at: 5 } },
  { why: 'a private method', bytes: hex('05 02 00 80'), expect: { protocol: 'socks5', at: 4 } },
  {
    why: 'the request follows at once',
    bytes: hex('05 01 00 05 01 00 03'),
    expect: { protocol: 'socks5', at: 3 },
  },
  { why: 'a method is missing', bytes: hex('05 02 00'), expect: 'more' },
  { why: 'the methods are missing', bytes: hex('05 01'), expect: 'more' },
  {
    why: 'all there are',
    bytes: hex('05 0a 00 01 02 03 05 06 07 08 09 80'),
    expect: { protocol: 'socks5', at: 12 },
  },
  { why: 'a method twice', bytes: hex('05 03 01 02 01'), expect: { unknownAt: 5 } },
  { why: 'more methods than there are', bytes: hex('05 0b 00 01'), expect: { unknownAt: 2 } },
  { why: 'two private methods', bytes: hex('05 03 00 80 81'), expect: { unknownAt: 5 } },
  { why: 'a private method beside a rare one', bytes: hex('05 02 09 b3'), expect: { unknownAt: 4 } },
  { why: 'a private method alone that is not the first', bytes: hex('05 01 b3'), expect: { unknownAt: 3 } },
  { why: 'no such method', bytes: hex('05 01 40 ff ff ff ff ff'), expect: { unknownAt: 3 } },
  {
    why: 'a MongoDB message of 517 bytes: its length reads as one method twice',
    bytes: hex('05 02 00 00 01 00 00 00 00 00 00 00 dd 07 00 00'),
    expect: { protocol: 'mongodb', at: 16 },
  },
];
