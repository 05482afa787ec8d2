import { type Case, hex, text } from './case.js';

export const cases: readonly Case[] = [
  {
    why: 'CONNECT without a user',
    bytes: hex('04 01 01 bb 7f 00 00 01 00'),
    expect: { protocol: 'socks4', at: 9 },
  },
  {
    why: 'CONNECT with a user',
    bytes: text('\x04\x01\0\x50\x7f\0\0\x02alice\0'),
    expect: { protocol: 'socks4', at: 14 },
  },
  { why: 'BIND', bytes: hex('04 02 00 15 c0 00 02 01 00'), expect: { protocol: 'socks4', at: 9 } },
  {
    why: '4a: a host name',
    bytes: text('\x04\x01\0\x50\0\0\0\x01\0a.example\0'),
    expect: { protocol: 'socks4', at: 19 },
  },
  {
    why: '4a: a user and a host name',
    bytes: text('\x04\x01\0\x50\0\0\0\xffbob\0a.example\0'),
    expect: { protocol: 'socks4', at: 22 },
  },
  { why: '4a: the host name is not here yet', bytes: hex('04 01 00 50 00 00 00 01 00'), expect: 'more' },
  { why: 'the user has not ended', bytes: text('\x04\x01\0\x50\x7f\0\0\x02ali'), expect: 'more' },
  {
    why: 'CONNECT with a user who is not written in ASCII',
    bytes: hex('04 01 00 50 7f 00 00 02 6a c3b6 72 67 00'),
    expect: { protocol: 'socks4', at: 14 },
  },
  {
    why: 'a user that is no text',
    bytes: hex('04 01 00 50 7f 00 00 02 6a f6 72 67 00'),
    expect: { unknownAt: 11 },
  },
  { why: 'a group', bytes: hex('04 01 00 50 e0 00 00 01 00'), expect: { unknownAt: 5 } },
  { why: 'no such command', bytes: hex('04 09 00 50 7f 00 00 01 00'), expect: { unknownAt: 2 } },
  {
    why: 'a MongoDB message of 260 bytes: its length and id read as port 0',
    bytes: hex('04 01 00 00 01 00 00 00 00 00 00 00 dd 07 00 00'),
    expect: { protocol: 'mongodb', at: 16 },
  },
];
