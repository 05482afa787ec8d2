import { type Case, hex, text } from './case.js';

const postgresStartup = '\0\0\0\x25\0\x03\0\0user\0alice\0database\0shop\0\0';

export const cases: readonly Case[] = [
  {
    why: 'ApiVersions with a client id',
    bytes: text('\0\0\0\x0d\0\x12\0\x02\0\0\0\0\0\x03app'),
    expect: { protocol: 'kafka', at: 17 },
  },
  {
    why: 'ApiVersions without one',
    bytes: hex('00 00 00 0a 00 12 00 00 00 00 00 01 ff ff'),
    expect: { protocol: 'kafka', at: 14 },
  },
  {
    why: 'Metadata, whose key is the version of PostgreSQL',
    bytes: text('\0\0\0\x12\0\x03\0\0\0\0\0\x05\0\x04rack\0\0\0\0'),
    expect: { protocol: 'kafka', at: 18 },
  },
  {
    why: 'a startup message of PostgreSQL, whose version is the key of Metadata',
    bytes: text(postgresStartup),
    expect: { protocol: 'postgres', at: 13 },
  },
  {
    why: 'JoinGroup, first to a coordinator',
    bytes: text('\0\0\0\x12\0\x0b\0\x01\0\0\0\x01\0\x03app\0\x03grp'),
    expect: { protocol: 'kafka', at: 17 },
  },
  {
    why: 'Produce with a client id',
    bytes: text('\0\0\0\x11\0\0\0\x02\0\0\0\x01\0\x03app\0\x01\0\0'),
    expect: { protocol: 'kafka', at: 17 },
  },
  {
    why: 'ZooKeeper that was there before: a transaction id is no text',
    bytes: hex('00 00 00 2d 00 00 00 00 00 00 00 05 00 03 01 2c 00 00 75 30'),
    expect: { unknownAt: 15 },
  },
  { why: 'half a client id', bytes: text('\0\0\0\x0d\0\x12\0\x02\0\0\0\0\0\x03a'), expect: 'more' },
  {
    why: 'a client id that leaves the request',
    bytes: text('\0\0\0\x0d\0\x12\0\x02\0\0\0\0\0\x04apps'),
    expect: { unknownAt: 14 },
  },
  {
    why: 'a client id that is no text',
    bytes: text('\0\0\0\x0d\0\x12\0\x02\0\0\0\0\0\x03a\x01p'),
    expect: { unknownAt: 16 },
  },
  {
    why: 'ZooKeeper, which would be Produce',
    bytes: hex('00 00 00 2d 00 00 00 00 00 00 00 00 00 00 00 00'),
    expect: { unknownAt: 14 },
  },
  { why: 'Kerberos', bytes: hex('00 00 00 71 6a 81 6e 30'), expect: { unknownAt: 5 } },
  { why: 'no such key', bytes: hex('00 00 00 0a 00 50 00 00 00'), expect: { unknownAt: 6 } },
];
