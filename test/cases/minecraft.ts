import { type Case, hex, text } from './case.js';

export const cases: readonly Case[] = [
  {
    why: 'login',
    bytes: text('\x10\0\xfb\x05\x09127.0.0.1\x63\xdd\x02\x17\0'),
    expect: { protocol: 'minecraft', at: 17 },
  },
  {
    why: 'status',
    bytes: text('\x0f\0\x2f\x09localhost\x63\xdd\x01\x01\0'),
    expect: { protocol: 'minecraft', at: 16 },
  },
  {
    why: 'a mod says more behind the host',
    bytes: text('\x14\0\x2f\x0elocalhost\0FML\0\x63\xdd\x01'),
    expect: { protocol: 'minecraft', at: 21 },
  },
  {
    why: 'a version that is not released',
    bytes: text('\x13\0\xff\xff\xff\xff\x0f\x09localhost\x63\xdd\x01'),
    expect: { protocol: 'minecraft', at: 20 },
  },
  { why: 'a ping of old', bytes: hex('fe 01'), expect: { protocol: 'minecraft', at: 2 } },
  {
    why: 'a length that begins like a ping of old',
    bytes: hex('fe 33 00 81 c9 62 4c c3 b4 f4 05'),
    expect: { unknownAt: 8 },
  },
  {
    why: 'a host and, behind it, no text',
    bytes: text('\x11\0\x2f\x0blocalhost\0\x01\x02'),
    expect: { unknownAt: 15 },
  },
  {
    why: 'a host in UTF-8, whose last character is not all here',
    bytes: text('\x0f\0\x2f\x09caf\xc3'),
    expect: 'more',
  },
  {
    why: 'a host whose first character has several bytes: none of them is taken for no host',
    bytes: text('\x0e\0\x2f\x08\xc3\xa9t.test\x63\xdd\x01'),
    expect: { protocol: 'minecraft', at: 15 },
  },
  { why: 'half a host', bytes: text('\x0f\0\x2f\x09local'), expect: 'more' },
  { why: 'no such state', bytes: text('\x0f\0\x2f\x09localhost\x63\xdd\x04'), expect: { unknownAt: 16 } },
  {
    why: 'the lengths do not agree',
    bytes: text('\x10\0\x2f\x09localhost\x63\xdd\x01\x01'),
    expect: { unknownAt: 5 },
  },
  {
    why: 'a host with a space',
    bytes: text('\x0f\0\x2f\x09local ost\x63\xdd\x01'),
    expect: { unknownAt: 10 },
  },
];
