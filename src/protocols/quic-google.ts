/**
 * Google QUIC, before the IETF's version. Up to Q048 the first packet is unencrypted and carries a CHLO, a table of
 * tags. Q050 and T051 use IETF packets (quic.ts); Q050 still has a CHLO inside.
 */
import type { Facts, FactsAnswer } from '../model/facts.js';
import { asBuffer, Cursor } from './cursor.js';

/**
 * Version flag, 8-byte connection id, packet number of 1 to 6 bytes; some clients also set the nonce flag, which is
 * for servers.
 */
const publicFlags = '[\\x09\\x0d\\x19\\x1d\\x29\\x2d\\x39\\x3d]';

export const googlePatterns: readonly string[] = [
  `^${publicFlags}[^]{8}Q0(?:39|4[0-3])`,
  // Long header: both id lengths in one byte (drafts), later one byte each.
  '^[\\xc0-\\xff]Q04[4-9](?:\\x50|[\\x08-\\x14])',
];

const longHeaderBit = 0x80;
const idBytes = 8;
const versionBytes = 4;
/** Authentication hash of the first packets. */
const hashBytes = 12;
/** Packet number length by bits 4 and 5 of the flags. */
const numberBytes = [1, 2, 4, 6] as const;
/** Packet number length in a long header. */
const longNumberBytes = 4;
const padding = 0;
const bothIdLengths = 0x50;

/** Stream frame with length: stream 1, offset 0 or a two-byte offset. */
const streamFrame = 0xa0;
const streamFrameAtOffset = 0xa4;
const cryptoStream = 1;

/** Upper bound on tags in a CHLO; clients send about 30. */
const tagsMax = 128;
const helloHeaderBytes = 8;

/** Whether the version matches googlePatterns. */
export function isGoogle(bytes: Uint8Array): boolean {
  return ((bytes[0] ?? 0) & longHeaderBit) === 0 || asBuffer(bytes).toString('latin1', 1, 4) === 'Q04';
}

/** The version, and the server name if the hello has one. */
export function googleFacts(bytes: Uint8Array): FactsAnswer {
  const packet = asBuffer(bytes);
  const first = packet[0] ?? 0;
  const isLong = (first & longHeaderBit) !== 0;
  const versionAt = isLong ? 1 : 1 + idBytes;
  if (packet.length < versionAt + versionBytes) return unfinished(packet.length, {});
  const version = packet.toString('latin1', versionAt, versionAt + versionBytes);
  const cursor = new Cursor(packet, versionAt + versionBytes);
  const hello = helloOf(cursor, isLong, first);
  if (hello === null && cursor.overrun) return unfinished(packet.length, { version });
  return { verdict: 'facts', facts: { version, ...(hello && helloFacts(hello)) } };
}

const unfinished = (length: number, facts: Facts): FactsAnswer => ({
  verdict: 'more',
  bytesNeeded: length + 1,
  facts,
});

/** Extracts the CHLO from the frames behind the version; null when it is not there. */
function helloOf(cursor: Cursor, isLong: boolean, first: number): Buffer | null {
  if (isLong) {
    if (cursor.u8() !== bothIdLengths) return null;
    cursor.skip(idBytes + longNumberBytes);
  } else {
    cursor.skip(numberBytes[(first >> 4) & 3] ?? 0);
  }
  cursor.skip(hashBytes);
  let type = padding;
  while (type === padding && !cursor.overrun) type = cursor.u8();
  if ((type !== streamFrame && type !== streamFrameAtOffset) || cursor.u8() !== cryptoStream) return null;
  if (type === streamFrameAtOffset) cursor.skip(2);
  const hello = cursor.bytes(cursor.u16());
  return cursor.overrun ? null : hello;
}

/** The server name of a CHLO: tags with end offsets, then values. */
export function helloFacts(hello: Buffer): Facts {
  if (hello.toString('latin1', 0, 4) !== 'CHLO' || hello.length < helloHeaderBytes) return {};
  const tags = Math.min(hello.readUInt16LE(4), tagsMax);
  const values = helloHeaderBytes + tags * 8;
  if (hello.length < values) return {};
  let start = 0;
  for (let at = helloHeaderBytes; at < values; at += 8) {
    const end = hello.readUInt32LE(at + 4);
    if (end < start || values + end > hello.length) return {};
    if (hello.toString('latin1', at, at + 4) === 'SNI\0')
      return nameFacts(hello.subarray(values + start, values + end));
    start = end;
  }
  return {};
}

function nameFacts(value: Buffer): Facts {
  const name = value.toString('latin1').toLowerCase();
  return /^[\x21-\x7e]+$/.test(name) ? { sni: name } : {};
}
