import { type Case, hex, text } from './case.js';
import { alpn, hello, records } from './tls.js';

const direct = records(hello([alpn('postgresql')]));
const other = records(hello([alpn('h2', 'http/1.1')]));

export const cases: readonly Case[] = [
  {
    why: 'a request to cancel without a key',
    bytes: hex('00 00 00 08 04 d2 16 2e'),
    expect: { unknownAt: 8 },
  },
  { why: 'SSLRequest', bytes: hex('00 00 00 08 04 d2 16 2f'), expect: { protocol: 'postgres', at: 8 } },
  { why: 'GSSENCRequest', bytes: hex('00 00 00 08 04 d2 16 30'), expect: { protocol: 'postgres', at: 8 } },
  {
    why: 'CancelRequest',
    bytes: hex('00 00 00 10 04 d2 16 2e 00 00 00 01'),
    expect: { protocol: 'postgres', at: 8 },
  },
  {
    why: 'CancelRequest with a long key',
    bytes: hex('00 00 01 0c 04 d2 16 2e 00'),
    expect: { protocol: 'postgres', at: 8 },
  },
  {
    why: 'a startup message',
    bytes: text('\0\0\0\x14\0\x03\0\0user\0alice\0\0'),
    expect: { protocol: 'postgres', at: 13 },
  },
  {
    why: 'version 3.2',
    bytes: text('\0\0\0\x14\0\x03\0\x02user\0alice\0\0'),
    expect: { protocol: 'postgres', at: 13 },
  },
  { why: 'TLS at once', bytes: direct, expect: { protocol: 'postgres', at: direct.length } },
  { why: 'TLS for something else', bytes: other, expect: { protocol: 'tls', at: other.length } },
  { why: 'a hello that is not all here', bytes: direct.subarray(0, -1), expect: 'more' },
  { why: 'the code is not all here', bytes: hex('00 00 00 08 04 d2 16'), expect: 'more' },
  { why: 'no such code', bytes: hex('00 00 00 08 04 d2 16 31'), expect: { unknownAt: 8 } },
  {
    why: 'a message over 10,000 bytes',
    bytes: text('\0\0\x28\0\0\x03\0\0database\0'),
    expect: { unknownAt: 3 },
  },
];
