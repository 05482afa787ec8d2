import { type Case, hex, text } from './case.js';

export const cases: readonly Case[] = [
  { why: 'get', bytes: text('get foo\r\n'), expect: { protocol: 'memcached', at: 9 } },
  { why: 'several keys', bytes: text('gets foo bar\r\n'), expect: { protocol: 'memcached', at: 14 } },
  { why: 'set', bytes: text('set k 0 0 1\r\nv\r\n'), expect: { protocol: 'memcached', at: 13 } },
  {
    why: 'an expired item',
    bytes: text('set k 0 -1 1 noreply\r\n'),
    expect: { protocol: 'memcached', at: 22 },
  },
  { why: 'cas', bytes: text('cas k 0 0 1 7\r\n'), expect: { protocol: 'memcached', at: 15 } },
  { why: 'touch', bytes: text('touch foo 0\r\n'), expect: { protocol: 'memcached', at: 13 } },
  { why: 'a space at the end', bytes: text('flush_all \r\n'), expect: { protocol: 'memcached', at: 12 } },
  { why: 'a meta command', bytes: text('mg k v\r\n'), expect: { protocol: 'memcached', at: 8 } },
  {
    why: 'a meta command of old',
    bytes: text('ms k S2\r\nhi\r\n'),
    expect: { protocol: 'memcached', at: 9 },
  },
  {
    why: 'what is logged',
    bytes: text('watch fetchers mutations\r\n'),
    expect: { protocol: 'memcached', at: 26 },
  },
  { why: 'a key is watched in Redis', bytes: text('watch fetch\r\n'), expect: { protocol: 'redis', at: 13 } },
  { why: 'statistics', bytes: text('stats items\r\n'), expect: { protocol: 'memcached', at: 13 } },
  { why: 'a lone LF', bytes: text('version\n'), expect: { protocol: 'memcached', at: 8 } },
  { why: 'in upper case it is Redis', bytes: text('GET foo\r\n'), expect: { protocol: 'redis', at: 9 } },
  {
    why: 'too few arguments: it is Redis',
    bytes: text('set foo bar\r\n'),
    expect: { protocol: 'redis', at: 13 },
  },
  {
    why: 'a request with a version is HTTP',
    bytes: text('get / HTTP/1.1\r\n'),
    expect: { protocol: 'http', at: 16 },
  },
  { why: 'other words', bytes: text('login\n'), expect: { unknownAt: 2 } },
  {
    why: 'binary, no key',
    bytes: hex('80 10 0000 00 00 0000 00000000 15f0d162 0000000000000000'),
    expect: { protocol: 'memcached', at: 24 },
  },
  {
    why: 'binary, a key and extras',
    bytes: hex('80 01 0005 08 00 0000 00000028 00010000 0000000000000000'),
    expect: { protocol: 'memcached', at: 24 },
  },
  {
    why: 'binary, a body shorter than its key',
    bytes: hex('80 0c 0003 00 00 0000 00000002 00010000 0000000000000000'),
    expect: { unknownAt: 24 },
  },
  {
    why: 'an ONC-RPC call',
    bytes: hex('80000028 72fe1d13 00000000 00000002 000186a0 0001977c'),
    expect: { unknownAt: 5 },
  },
  { why: 'a binary header that is not all here', bytes: hex('80 10 0000 00 00 0000'), expect: 'more' },
];
