/** Valid and invalid PROXY headers, run through the live engine and `identify`. */
import type { Facts } from '../../src/model/facts.js';
import { hex, text } from './case.js';

const signature = '0d0a0d0a000d0a515549540a';
export const v2 = (digits: string): Buffer => Buffer.from(`${signature}${digits}`.replaceAll(' ', ''), 'hex');
const path = (name: string): string => Buffer.from(name.padEnd(108, '\0')).toString('hex');

export interface HeaderCase {
  readonly why: string;
  readonly bytes: Uint8Array;
  /** Null: use the connection's own addresses. */
  readonly addresses: { readonly source: string; readonly destination: string } | null;
  /** Facts besides `proxy` and the addresses. */
  readonly facts?: Facts;
  /** Has a malformed or ambiguous host name. */
  readonly doubtful?: true;
}

export const v4 = { source: '192.0.2.1:56324', destination: '198.51.100.7:443' };
const v6 = { source: '[2001:db8::1]:56324', destination: '[2001:db8::2]:443' };
const v6Digits = '20010db8000000000000000000000001 20010db8000000000000000000000002 dc04 01bb';

const addresses4 = hex('c0000201 c6336407 dc04 01bb');

export function tlv(type: number, value: Uint8Array | string): Buffer {
  const bytes = Buffer.from(value as string, 'latin1');
  return Buffer.concat([Buffer.of(type, bytes.length >> 8, bytes.length & 0xff), bytes]);
}

/** A header over IPv4 with further bytes behind its addresses. */
export function withTlvs(...parts: readonly Uint8Array[]): Buffer {
  const block = Buffer.concat([addresses4, ...parts]);
  return Buffer.concat([v2('2111'), Buffer.of(block.length >> 8, block.length & 0xff), block]);
}

export const tls = (client: number, verify: number, ...parts: readonly Uint8Array[]): Buffer =>
  tlv(0x20, Buffer.concat([Buffer.of(client, 0, 0, 0, verify), ...parts]));

const authority = (name: string): Buffer => tlv(0x02, name);

/** As HAProxy 2.6 sends it with the options unique-id and crc32c. */
const checked = v2('2111 0023 7f000001 7f000001 8fe2 4e9c 030004 5fc3045c 05000d 37463030303030313a38464532');
const checkedAddresses = { source: '127.0.0.1:36834', destination: '127.0.0.1:20124' };

const withByte = (bytes: Buffer, at: number, value: number): Buffer => {
  const copy = Buffer.from(bytes);
  copy[at] = value;
  return copy;
};

export const headers: readonly HeaderCase[] = [
  { why: 'v1 IPv4', bytes: text('PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n'), addresses: v4 },
  { why: 'v1 IPv6', bytes: text('PROXY TCP6 2001:db8::1 2001:db8::2 56324 443\r\n'), addresses: v6 },
  {
    why: 'v1 IPv6 in a longer form',
    bytes: text('PROXY TCP6 2001:0DB8:0:0::1 2001:db8:0:0:0:0:0:2 56324 443\r\n'),
    addresses: v6,
  },
  {
    why: 'v1 IPv6, an IPv4 address in it',
    bytes: text('PROXY TCP6 2001:db8::192.0.2.1 :: 1 0\r\n'),
    addresses: { source: '[2001:db8::c000:201]:1', destination: '[::]:0' },
  },
  {
    why: 'v1 IPv6 in its longest form',
    bytes: text(`PROXY TCP6 ${'ffff:'.repeat(7)}ffff ${'fffe:'.repeat(7)}fffe 65535 65535\r\n`),
    addresses: {
      source: `[${'ffff:'.repeat(7)}ffff]:65535`,
      destination: `[${'fffe:'.repeat(7)}fffe]:65535`,
    },
  },
  {
    why: 'v1, the least and the greatest port',
    bytes: text('PROXY TCP4 0.0.0.0 255.255.255.255 0 65535\r\n'),
    addresses: { source: '0.0.0.0:0', destination: '255.255.255.255:65535' },
  },
  { why: 'v1 unknown', bytes: text('PROXY UNKNOWN\r\n'), addresses: null },
  { why: 'v1 unknown with anything', bytes: text('PROXY UNKNOWN any thing\r\n'), addresses: null },
  { why: 'v1, 107 bytes', bytes: text(`PROXY UNKNOWN ${'f'.repeat(91)}\r\n`), addresses: null },
  { why: 'v2 IPv4', bytes: v2('21 11 000c c0000201 c6336407 dc04 01bb'), addresses: v4 },
  { why: 'v2 IPv6', bytes: v2(`21 21 0024 ${v6Digits}`), addresses: v6 },
  {
    why: 'v2 unix',
    bytes: v2(`21 31 00d8 ${path('/run/a.sock')} ${path('/run/b.sock')}`),
    addresses: { source: 'unix:/run/a.sock', destination: 'unix:/run/b.sock' },
  },
  { why: 'v2 unspecified', bytes: v2('21 00 0003 ffffff'), addresses: null },
  { why: 'v2 unspecified, without a block', bytes: v2('21 00 0000'), addresses: null },
  { why: 'v2 unspecified, of a stream', bytes: v2('21 01 0000'), addresses: null },
  { why: 'v2 unspecified, of a datagram', bytes: v2('21 02 0004 02000161'), addresses: null },
  { why: 'v2 unspecified, its block is passed over', bytes: v2('21 00 0003 02ffff'), addresses: null },
  {
    why: 'v2 local, of a family that nobody knows, with half a TLV',
    bytes: v2('20 41 0005 01020304 02'),
    addresses: null,
  },
  { why: 'v2 local', bytes: v2('20 00 0000'), addresses: null },
  {
    why: 'v2 local, its block is passed over',
    bytes: v2('20 11 000c c0000201 c6336407 dc04 01bb'),
    addresses: null,
  },
  { why: 'v2 with padding', bytes: withTlvs(tlv(0x04, 'abc')), addresses: v4 },
  { why: 'v2 with types that nobody knows', bytes: withTlvs(tlv(0xe0, ''), tlv(0x77, 'x')), addresses: v4 },
  {
    why: 'v2 with a name',
    bytes: withTlvs(authority('A.example')),
    addresses: v4,
    facts: { proxy_authority: 'a.example' },
  },
  {
    why: 'v2 with a name beside IPv6 addresses',
    bytes: v2(`21 21 0028 ${v6Digits} 020001 61`),
    addresses: v6,
    facts: { proxy_authority: 'a' },
  },
  {
    why: 'v2 with the same name twice',
    bytes: withTlvs(authority('a'), authority('A')),
    addresses: v4,
    facts: { proxy_authority: 'a' },
  },
  {
    why: 'v2 with two names',
    bytes: withTlvs(authority('a'), authority('b')),
    addresses: v4,
    doubtful: true,
  },
  { why: 'v2 with an empty name', bytes: withTlvs(authority('')), addresses: v4 },
  {
    why: 'v2 with a zero byte in its name',
    bytes: withTlvs(authority('public\0x')),
    addresses: v4,
    doubtful: true,
  },
  {
    why: 'v2 with zero bytes in its other texts',
    bytes: withTlvs(tlv(0x01, 'h2\0'), tlv(0x05, 'id\0x'), tls(0x01, 0, tlv(0x22, 'Alice\0Bob'))),
    addresses: v4,
    facts: {
      proxy_alpn: '0x683200',
      proxy_unique_id: '0x69640078',
      proxy_tls: true,
      proxy_tls_cn: '0x416c69636500426f62',
    },
  },
  { why: 'v2 with a name that is none', bytes: withTlvs(authority('a\nb')), addresses: v4, doubtful: true },
  {
    why: 'v2 with a name longer than names are',
    bytes: withTlvs(authority('a'.repeat(256))),
    addresses: v4,
    doubtful: true,
  },
  {
    why: 'v2 with an application protocol and an id',
    bytes: withTlvs(tlv(0x01, 'h2'), tlv(0x05, hex('00ff'))),
    addresses: v4,
    facts: { proxy_alpn: 'h2', proxy_unique_id: '0x00ff' },
  },
  {
    why: 'v2, facts are cut',
    bytes: withTlvs(tlv(0x01, Buffer.from('é'.repeat(300))), tlv(0x05, Buffer.alloc(300, 0xff))),
    addresses: v4,
    facts: { proxy_alpn: 'é'.repeat(256), proxy_unique_id: `0x${'ff'.repeat(255)}` },
  },
  {
    why: 'v2 of a client that came over TLS',
    bytes: withTlvs(
      tls(0x07, 0, tlv(0x21, 'TLSv1.3'), tlv(0x22, 'Alice'), tlv(0x23, 'AES'), tlv(0x24, 'RSA')),
    ),
    addresses: v4,
    facts: {
      proxy_tls: true,
      proxy_tls_version: 'TLSv1.3',
      proxy_tls_cn: 'Alice',
      proxy_tls_cipher: 'AES',
      proxy_tls_verified: true,
    },
  },
  {
    why: 'v2, a certificate that did not verify',
    bytes: withTlvs(tls(0x03, 1)),
    addresses: v4,
    facts: { proxy_tls: true, proxy_tls_verified: false },
  },
  { why: 'v2, no TLS', bytes: withTlvs(tls(0, 0)), addresses: v4, facts: { proxy_tls: false } },
  {
    why: 'v2 with a checksum',
    bytes: checked,
    addresses: checkedAddresses,
    facts: { proxy_unique_id: '7F000001:8FE2' },
  },
  {
    why: 'v2, as long as can be',
    bytes: withTlvs(tlv(0x04, Buffer.alloc(0xffff - 12 - 3))),
    addresses: v4,
  },
];

export const refused: readonly { readonly why: string; readonly bytes: Uint8Array }[] = [
  { why: 'v2 of a datagram', bytes: v2(`21 22 0024 ${v6Digits}`) },
  { why: 'v2 of a type that there is not', bytes: v2('21 13 000c c0000201 c6336407 dc04 01bb') },
  { why: 'v2 of a family without a type', bytes: v2('21 10 000c c0000201 c6336407 dc04 01bb') },
  { why: 'another protocol', bytes: text('GET / HTTP/1.1\r\n') },
  { why: 'a request with such a method', bytes: text('PROXY / HTTP/1.1\r\n') },
  { why: 'v1, another family', bytes: text('PROXY TCP5 192.0.2.1 198.51.100.7 56324 443\r\n') },
  {
    why: 'v1, an address of the other family',
    bytes: text('PROXY TCP6 192.0.2.1 198.51.100.7 56324 443\r\n'),
  },
  { why: 'v1, a zone', bytes: text('PROXY TCP6 fe80::1%eth0 2001:db8::2 56324 443\r\n') },
  { why: 'v1, no such port', bytes: text('PROXY TCP4 192.0.2.1 198.51.100.7 65536 443\r\n') },
  { why: 'v1, a port with a zero before it', bytes: text('PROXY TCP4 192.0.2.1 198.51.100.7 080 443\r\n') },
  { why: 'v1, a port is missing', bytes: text('PROXY TCP4 192.0.2.1 198.51.100.7 56324\r\n') },
  { why: 'v1, a field too many', bytes: text('PROXY TCP4 192.0.2.1 198.51.100.7 56324 443 1\r\n') },
  { why: 'v1, a lower-case family', bytes: text('PROXY tcp4 192.0.2.1 198.51.100.7 56324 443\r\n') },
  { why: 'v1, a lower-case start', bytes: text('proxy TCP4 192.0.2.1 198.51.100.7 56324 443\r\n') },
  { why: 'v1, no family', bytes: text('PROXY \r\n') },
  { why: 'v1, a family and more', bytes: text('PROXY UNKNOWNS\r\n') },
  { why: 'v1, an address is missing', bytes: text('PROXY TCP4\r\n') },
  { why: 'v1, a zero byte behind an address', bytes: text('PROXY TCP4 192.0.2.1\0 198.51.100.7 1 2\r\n') },
  { why: 'v1, a zero byte in an IPv6 address', bytes: text('PROXY TCP6 2001:db8::1 ::\0x 1 2\r\n') },
  { why: 'v1, a zero byte behind a port', bytes: text('PROXY TCP4 192.0.2.1 198.51.100.7 1\0 2\r\n') },
  { why: 'v1, a zero byte behind its family', bytes: text('PROXY UNKNOWN\0\r\n') },
  { why: 'v1, zeros before a byte', bytes: text('PROXY TCP4 192.0.02.1 198.51.100.7 1 2\r\n') },
  { why: 'v1, a byte over 255', bytes: text('PROXY TCP4 192.0.2.256 198.51.100.7 1 2\r\n') },
  { why: 'v1, an address of three parts', bytes: text('PROXY TCP4 192.0.2 198.51.100.7 1 2\r\n') },
  { why: 'v1, IPv6 in brackets', bytes: text('PROXY TCP6 [2001:db8::1] ::1 1 2\r\n') },
  { why: 'v1, IPv6 with two gaps', bytes: text('PROXY TCP6 2001::db8::1 ::1 1 2\r\n') },
  { why: 'v1, IPv6 of nine groups', bytes: text('PROXY TCP6 1:2:3:4:5:6:7:8:9 ::1 1 2\r\n') },
  { why: 'v1, IPv6 announced as IPv4', bytes: text('PROXY TCP4 ::ffff:192.0.2.1 198.51.100.7 1 2\r\n') },
  { why: 'v1, a port with a sign', bytes: text('PROXY TCP4 192.0.2.1 198.51.100.7 +1 2\r\n') },
  { why: 'v1, a port below zero', bytes: text('PROXY TCP4 192.0.2.1 198.51.100.7 -1 2\r\n') },
  { why: 'v1, a port in hex', bytes: text('PROXY TCP4 192.0.2.1 198.51.100.7 0x1 2\r\n') },
  { why: 'v1, two zeros as a port', bytes: text('PROXY TCP4 192.0.2.1 198.51.100.7 00 2\r\n') },
  { why: 'v1, the other port is none', bytes: text('PROXY TCP4 192.0.2.1 198.51.100.7 1 99999\r\n') },
  { why: 'v1, a tab', bytes: text('PROXY TCP4 192.0.2.1\t198.51.100.7 1 2\r\n') },
  { why: 'v1, a space at its end', bytes: text('PROXY TCP4 192.0.2.1 198.51.100.7 1 2 \r\n') },
  {
    why: 'v1, a line feed without its carriage return',
    bytes: text(`PROXY TCP4 192.0.2.1 198.51.100.7 1 2\n${'x'.repeat(80)}`),
  },
  { why: 'v1, two spaces', bytes: text('PROXY TCP4  192.0.2.1 198.51.100.7 56324 443\r\n') },
  { why: 'v1, 108 bytes', bytes: text(`PROXY UNKNOWN ${'f'.repeat(92)}\r\n`) },
  { why: 'v2, version 3', bytes: v2('31 11 000c c0000201 c6336407 dc04 01bb') },
  { why: 'v2, another command', bytes: v2('22 11 000c c0000201 c6336407 dc04 01bb') },
  { why: 'v2, another family', bytes: v2('21 41 000c c0000201 c6336407 dc04 01bb') },
  { why: 'v2, a block too short for its addresses', bytes: v2('21 11 000b c0000201 c6336407 dc04 01') },
  { why: 'v2, version 1', bytes: v2('11 11 000c c0000201 c6336407 dc04 01bb') },
  { why: 'v2, another transport', bytes: v2('21 13 000c c0000201 c6336407 dc04 01bb') },
  { why: 'v2, a family without its transport', bytes: v2('21 10 000c c0000201 c6336407 dc04 01bb') },
  { why: 'v2 IPv4, without a block', bytes: v2('21 11 0000') },
  { why: 'v2 IPv6, with the block of IPv4', bytes: v2('21 21 000c c0000201 c6336407 dc04 01bb') },
  { why: 'v2 unix, its paths cut', bytes: v2(`21 31 00d7 ${path('/a')} ${path('/b').slice(2)}`) },
  {
    why: 'v2, a wrong signature',
    bytes: hex('0d0a0d0a000d0a515549540b 21 11 000c c0000201 c6336407 dc04 01bb'),
  },
  { why: 'v2, half the head of a TLV', bytes: withTlvs(hex('04 00')) },
  { why: 'v2, a TLV longer than the header', bytes: withTlvs(hex('04 0002 ff')) },
  { why: 'v2, a byte behind the last TLV', bytes: withTlvs(authority('a'), hex('00')) },
  { why: 'v2, TLS without its fixed part', bytes: withTlvs(tlv(0x20, hex('01 000000'))) },
  { why: 'v2, TLS whose vectors do not fit', bytes: withTlvs(tls(1, 0, hex('21 0008 61'))) },
  { why: 'v2, a wrong checksum', bytes: withByte(checked, 31, 0) },
  { why: 'v2, a byte that the checksum does not cover', bytes: withByte(checked, 16, 0x7e) },
  { why: 'v2, a checksum of zeros', bytes: withTlvs(tlv(0x03, hex('00000000'))) },
  { why: 'v2, two checksums', bytes: withTlvs(tlv(0x03, hex('00000000')), tlv(0x03, hex('00000000'))) },
  { why: 'v2, the rest of a session as the end of a TLV', bytes: withTlvs(hex('02 000a 3132333435')) },
  { why: 'v2, a checksum of two bytes', bytes: withTlvs(tlv(0x03, hex('0000'))) },
];

/** Before a datagram: the type says DGRAM (section 2.2), and the header is whole or none. */
export const datagramHeaders: readonly HeaderCase[] = [
  { why: 'IPv4', bytes: v2('21 12 000c c0000201 c6336407 dc04 01bb'), addresses: v4 },
  { why: 'IPv6', bytes: v2(`21 22 0024 ${v6Digits}`), addresses: v6 },
  {
    why: 'unix',
    bytes: v2(`21 32 00d8 ${path('/run/a.sock')} ${path('/run/b.sock')}`),
    addresses: { source: 'unix:/run/a.sock', destination: 'unix:/run/b.sock' },
  },
  { why: 'unspecified', bytes: v2('21 00 0000'), addresses: null },
  { why: 'unspecified, of a datagram', bytes: v2('21 02 0000'), addresses: null },
  { why: 'local', bytes: v2('20 00 0000'), addresses: null },
  { why: 'local, its block is passed over', bytes: v2('20 11 0002 ffff'), addresses: null },
  {
    why: 'with a name',
    bytes: v2('21 12 0010 c0000201 c6336407 dc04 01bb 02000141'),
    addresses: v4,
    facts: { proxy_authority: 'a' },
  },
];

export const refusedDatagramHeaders: readonly Pick<HeaderCase, 'why' | 'bytes'>[] = [
  { why: 'of a stream', bytes: v2('21 11 000c c0000201 c6336407 dc04 01bb') },
  { why: 'of a stream, IPv6', bytes: v2(`21 21 0024 ${v6Digits}`) },
  { why: 'cut', bytes: v2('21 12 000c c0000201 c6336407 dc04 01') },
  { why: 'nothing', bytes: hex('') },
  { why: 'version 1', bytes: text('PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n') },
  { why: 'version 1 unknown', bytes: text('PROXY UNKNOWN\r\n') },
];
