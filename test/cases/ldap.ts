import { type Case, type DatagramCase, hex } from './case.js';

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

/** A search for a domain controller: base, scope, aliases, limits, types only, a filter, no attributes. */
const search = '04 00 0a 01 00 0a 01 00 02 01 00 02 01 00 01 01 00 87 0b 6f626a656374636c617373 30 00';

export const datagrams: readonly DatagramCase[] = [
  { why: 'a search', bytes: hex(`30 25 02 01 07 63 20 ${search}`), expect: 'ldap' },
  {
    why: 'a search with lengths as Windows writes them',
    bytes: hex(`30 84 00000029 02 01 01 63 84 00000020 ${search}`),
    expect: 'ldap',
  },
  {
    why: 'a search in version 2, behind an empty name (by RFC 1798; no such client could be recorded)',
    bytes: hex(`30 27 02 01 07 04 00 63 20 ${search}`),
    expect: 'ldap',
  },
  { why: 'a byte too many', bytes: hex(`30 25 02 01 07 63 20 ${search} 00`), expect: null },
  { why: 'a byte too few', bytes: hex(`30 26 02 01 07 63 20 ${search}`), expect: null },
  { why: 'a request that leaves the message', bytes: hex(`30 25 02 01 07 63 21 ${search}`), expect: null },
  {
    why: 'no such scope',
    bytes: hex(`30 25 02 01 07 63 20 ${search.replace('0a 01 00', '0a 01 07')}`),
    expect: null,
  },
  {
    why: 'a bind, which only a stream has',
    bytes: hex('30 0c 02 01 01 60 07 02 01 03 04 00 80 00'),
    expect: null,
  },
];
