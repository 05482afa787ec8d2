import { type Case, hex } from './case.js';

export const cases: readonly Case[] = [
  {
    why: 'bind',
    bytes: hex('30 0c 02 01 01 60 07 02 01 03 04 00 80 00'),
    expect: { protocol: 'ldap', at: 8 },
  },
  { why: 'StartTLS', bytes: hex('30 1d 02 01 01 77 18 80 16 31'), expect: { protocol: 'ldap', at: 8 } },
  { why: 'unbind', bytes: hex('30 05 02 01 01 42 00'), expect: { protocol: 'ldap', at: 7 } },
  {
    why: 'search with long lengths',
    bytes: hex('30 84 00 00 00 2d 02 01 07 63 84 00 00 00 24 04 00'),
    expect: { protocol: 'ldap', at: 16 },
  },
  {
    why: 'a controls part follows',
    bytes: hex('30 20 02 01 01 60 07 02 01 03 04 00 80 00 a0 12'),
    expect: { protocol: 'ldap', at: 8 },
  },
  { why: 'the request is not here yet', bytes: hex('30 1d 02 01'), expect: 'more' },
  {
    why: 'the request leaves the message',
    bytes: hex('30 0c 02 01 01 60 08 02 01 03'),
    expect: { unknownAt: 7 },
  },
  { why: 'an empty bind', bytes: hex('30 05 02 01 01 60 00'), expect: { unknownAt: 7 } },
  { why: 'a bind without a version', bytes: hex('30 0c 02 01 01 60 07 04 01 03'), expect: { unknownAt: 8 } },
  { why: 'an answer', bytes: hex('30 0c 02 01 01 61 07 0a 01 00'), expect: { unknownAt: 6 } },
  {
    why: 'text that begins with the same digit',
    bytes: hex('30 20 61 20 31 37 0a'),
    expect: { unknownAt: 3 },
  },
];
