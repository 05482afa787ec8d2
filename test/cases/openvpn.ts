import { type Case, type DatagramCase, hex } from './case.js';

const session = 'bd 8c 3f c6 af 82 27 1b';
const plain = `38 ${session} 00 00 00 00 00`;
const auth = (digest: number): string =>
  `38 ${session} ${'a5'.repeat(digest)} 00 00 00 01 6b 01 04 30 00 00 00 00 00`;
const crypt = `38 ${session} 00 00 00 01 6b 01 04 31 ${'a5'.repeat(37)}`;
const cryptV2 = `50 ${session} 0f 00 00 01 6b 01 04 31 ${'a5'.repeat(37 + 301)}`;

export const cases: readonly Case[] = [
  { why: 'plain', bytes: hex(`00 0e ${plain}`), expect: { protocol: 'openvpn', at: 16 } },
  {
    why: 'plain, version 1',
    bytes: hex(`00 0e 08 ${plain.slice(3)}`),
    expect: { protocol: 'openvpn', at: 16 },
  },
  { why: 'tls-auth with SHA-1', bytes: hex(`00 2a ${auth(20)}`), expect: { protocol: 'openvpn', at: 44 } },
  { why: 'tls-auth with SHA-256', bytes: hex(`00 36 ${auth(32)}`), expect: { protocol: 'openvpn', at: 56 } },
  { why: 'tls-auth with SHA-512', bytes: hex(`00 56 ${auth(64)}`), expect: { protocol: 'openvpn', at: 88 } },
  {
    why: 'tls-auth with MD5 and SHA-1 in one',
    bytes: hex(`00 3a ${auth(36)}`),
    expect: { protocol: 'openvpn', at: 60 },
  },
  { why: 'tls-crypt', bytes: hex(`00 36 ${crypt}`), expect: { protocol: 'openvpn', at: 15 } },
  { why: 'tls-crypt-v2', bytes: hex(`01 61 ${cryptV2}`), expect: { protocol: 'openvpn', at: 15 } },
  { why: 'the message id is not here yet', bytes: hex(`00 0e 38 ${session} 00 00 00`), expect: 'more' },
  { why: 'another length', bytes: hex(`00 0f ${plain} 00`), expect: { unknownAt: 2 } },
  { why: 'an answer', bytes: hex(`00 0e 40 ${session} 00 00 00 00 00`), expect: { unknownAt: 3 } },
  {
    why: 'a query of DNS of the same length, whose id begins like it',
    bytes: hex(`00 36 38 5a 01 00 00 01 00 00 00 00 00 00 24 ${'61'.repeat(36)} 00 00 01 00 01`),
    expect: { protocol: 'dns', at: 56 },
  },
];

export const datagrams: readonly DatagramCase[] = [
  { why: 'plain', bytes: hex(plain), expect: 'openvpn' },
  { why: 'tls-auth with SHA-1', bytes: hex(auth(20)), expect: 'openvpn' },
  { why: 'tls-auth with SHA-256', bytes: hex(auth(32)), expect: 'openvpn' },
  ...[16, 20, 28, 32, 36, 48, 64].map((digest) => ({
    why: `tls-auth with a digest of ${digest} bytes`,
    bytes: hex(auth(digest)),
    expect: 'openvpn',
  })),
  { why: 'tls-auth with a digest that does not exist', bytes: hex(auth(24)), expect: null },
  { why: 'tls-crypt', bytes: hex(crypt), expect: 'openvpn' },
  { why: 'tls-crypt-v2', bytes: hex(cryptV2), expect: 'openvpn' },
  { why: 'a byte too many', bytes: hex(`${plain} 00`), expect: null },
  { why: 'a wrapped key that is too short', bytes: hex(cryptV2.slice(0, 400)), expect: null },
];
