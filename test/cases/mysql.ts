import { type Case, hex } from './case.js';

const rest = `00 00 00 01 21 ${'00'.repeat(19)} 00 00 00 00`;

export const cases: readonly Case[] = [
  {
    why: 'a request for TLS',
    bytes: hex(`20 00 00 01 85 ae 7f 00 ${rest}`),
    expect: { protocol: 'mysql', at: 32 },
  },
  {
    why: 'a response, MariaDB',
    bytes: hex(`84 00 00 01 05 a2 3a 00 ff ff ff 00 2d ${'00'.repeat(19)} 1d 00 00 00 61 00`),
    expect: { protocol: 'mysql', at: 37 },
  },
  {
    why: '261 bytes: the length is not taken for SOCKS',
    bytes: hex(`05 01 00 01 05 a2 3a 00 ${rest}`),
    expect: { protocol: 'socks5', at: 3 },
  },
  {
    why: 'nobody without a password, then the name of a plugin',
    bytes: hex(`50 00 00 01 05 a2 3a 00 ff ff ff 00 2d ${'00'.repeat(19)} 1d 00 00 00 00 00 6d`),
    expect: { protocol: 'mysql', at: 39 },
  },
  {
    why: "check_nrpe's second version: a checksum, a result, a short command and zeros",
    bytes: hex(`00 02 00 01 62 2f 45 f5 4d 5f 78 00 ${'00'.repeat(32)}`),
    expect: { unknownAt: 39 },
  },
  { why: 'zeros are missing', bytes: hex('20 00 00 01 85 ae 7f 00 00 00 00 01 21 00'), expect: 'more' },
  { why: 'protocol 3.2', bytes: hex('05 00 00 01 85 24 00 00 00'), expect: { unknownAt: 6 } },
  {
    why: 'the greeting of a server',
    bytes: hex('4a 00 00 00 0a 35 2e 35 2e 35 2d 31'),
    expect: { unknownAt: 4 },
  },
  { why: 'too short', bytes: hex(`1f 00 00 01 85 ae 7f 00 ${rest} 61`), expect: { unknownAt: 37 } },
];
