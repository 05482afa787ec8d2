import { type Case, hex, text } from './case.js';

const u8 = (value: number): Uint8Array => Uint8Array.of(value);
const u16 = (value: number): Uint8Array => Uint8Array.of(value >> 8, value & 0xff);
const concat = (...parts: Uint8Array[]): Uint8Array => Buffer.concat(parts);
const vector8 = (...parts: Uint8Array[]): Uint8Array => concat(u8(concat(...parts).length), ...parts);
const vector16 = (...parts: Uint8Array[]): Uint8Array => concat(u16(concat(...parts).length), ...parts);

export const extension = (type: number, body: Uint8Array): Uint8Array => concat(u16(type), vector16(body));
export const serverName = (name: string): Uint8Array =>
  extension(0, vector16(concat(u8(0), vector16(text(name)))));
export const alpn = (...names: string[]): Uint8Array =>
  extension(16, vector16(...names.map((name) => vector8(text(name)))));
export const versions = (...values: number[]): Uint8Array => extension(43, vector8(...values.map(u16)));

/** A ClientHello with its handshake header; without `extensions` it ends before their length. */
export function hello(extensions?: readonly Uint8Array[], version = 0x0303): Uint8Array {
  const body = concat(
    u16(version),
    new Uint8Array(32),
    vector8(),
    vector16(u16(0x1301)),
    vector8(u8(0)),
    ...(extensions ? [vector16(...extensions)] : []),
  );
  return concat(hex('01 00'), u16(body.length), body);
}

/** Handshake records of at most `payloadMax` bytes. */
export function records(handshake: Uint8Array, payloadMax = 16_384): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < handshake.length; at += payloadMax) {
    parts.push(hex('16 03 01'), vector16(handshake.subarray(at, at + payloadMax)));
  }
  return concat(...parts);
}

const named = hello([serverName('a.example')]);
const bare = hello([]);

/** The same records in another version. */
const inVersion = (minor: number, bytes: Uint8Array, major = 3): Uint8Array => {
  const copy = Buffer.from(bytes);
  copy[1] = major;
  copy[2] = minor;
  return copy;
};

/** RFC 5246 appendix E.2: the ciphers' lengths in bytes, then 32 bytes of challenge. */
const ssl2Framed = (version: string, ciphers: number): Uint8Array => {
  const body = Buffer.concat([
    hex(`01 ${version}`),
    u16(ciphers),
    hex('0000 0020'),
    new Uint8Array(ciphers + 32),
  ]);
  return concat(u16(0x8000 | body.length), body);
};

/** Only the end of a hello tells it from a refinement. */
const whole = (why: string, bytes: Uint8Array): Case => ({
  why,
  bytes,
  expect: { protocol: 'tls', at: bytes.length },
});

export const cases: readonly Case[] = [
  whole('a hello', records(named)),
  whole('a hello in records of one byte', records(bare, 1)),
  whole('a first record that ends before the version', records(bare, 5)),
  whole('a first record that ends with the version', records(bare, 6)),
  whole('SSL 3.0', inVersion(0, records(hello(undefined, 0x0300)))),
  whole('record version 1.3, which nobody should send', inVersion(4, records(bare))),
  whole('a record version that does not exist yet', inVersion(9, records(bare))),
  whole('a record of another major version', inVersion(0, records(bare), 4)),
  whole('a hello of a version that does not exist yet', records(hello([], 0x0309))),
  whole('a hello of another major version', records(hello([], 0x0401))),
  {
    why: 'a hello of TLS 1.0 in the frame of SSL 2 (by the specification)',
    bytes: ssl2Framed('03 01', 117),
    expect: { protocol: 'tls', at: 11 },
  },
  {
    why: 'a hello in the frame of SSL 2 with the ciphers of a browser of old, longer than 255 bytes',
    bytes: ssl2Framed('03 00', 228),
    expect: { protocol: 'tls', at: 11 },
  },
  { why: 'the frame of SSL 2 is not all here', bytes: hex('80 2e 01 03 01 00 15'), expect: 'more' },
  {
    why: 'the frame of SSL 2 with a challenge that is too long',
    bytes: hex('80 2e 01 03 01 00 15 00 00 00 40'),
    expect: { unknownAt: 11 },
  },
  { why: 'half a hello', bytes: records(named).subarray(0, 40), expect: 'more' },
  { why: 'the record length is not here yet', bytes: hex('16 03 01'), expect: 'more' },
  { why: 'the version is not here yet', bytes: hex('16 03 01 02 00 01 00 01 fc 03'), expect: 'more' },
  { why: 'a major version of 2', bytes: hex('16 02 01 00 2c 01'), expect: { unknownAt: 2 } },
  { why: 'an empty record', bytes: hex('16 03 01 00 00 16'), expect: { unknownAt: 5 } },
  { why: 'a record over 2^14 bytes', bytes: hex('16 03 01 40 01 01'), expect: { unknownAt: 5 } },
  { why: 'a ServerHello', bytes: hex('16 03 03 00 7a 02'), expect: { unknownAt: 6 } },
  { why: 'a hello of 16 MiB', bytes: hex('16 03 01 02 00 01 ff ff ff 03 03'), expect: { unknownAt: 7 } },
  { why: 'an alert first', bytes: hex('15 03 01 00 02 02 28'), expect: { unknownAt: 1 } },
  { why: 'a hello of SSL 2 itself', bytes: hex('80 2e 01 00 02'), expect: { unknownAt: 4 } },
];
