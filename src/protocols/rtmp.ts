/** RTMP and its encrypted variants: the client's C0 and C1, sent together. */
import { createHmac } from 'node:crypto';
import type { Confirmation, Protocol } from '../model/protocol.js';
import { match, more, no } from './confirmation.js';
import { asBuffer } from './cursor.js';

/** C0 is 1 byte, C1 1536. All of it is required: C1 is mostly random, so a shorter prefix is not certain. */
const openingBytes = 1 + 1536;

const versionAt = 5;
const versionBytes = 4;
/** Client versions in hexadecimal: Flash Player (last byte 2), nginx's module, and the flag used since 2008. */
const knownVersion = /^(?:0[9a-d]00..02|0c000d0e|80000.0.)$/;

/**
 * With a version set, C1 contains its own HMAC digest in one of two blocks; the first four bytes of the block give
 * the offset.
 */
const digestBytes = 32;
const digestPlaces = [8, 772] as const;
const digestSpread = 728;
const digestKey = 'Genuine Adobe Flash Player 001';

export const rtmp: Protocol = {
  id: 'rtmp',
  transports: ['tcp'],
  rank: 41,
  // RTMP version (3 plain, 6 and 8 encrypted), time, then zeros or a Flash Player version.
  signature: {
    patterns: ['^\\x03[^]{4}\\x00{4}', '^[\\x03\\x06\\x08][^]{4}[\\x05-\\x40\\x80][\\x00-\\x0f][^]{2}'],
    minBytes: openingBytes,
  },
  confirm: confirmRtmp,
  words: '03 (06, 08: encrypted), time, zeros or a player version with its digest; 1537 bytes',
  source: "Adobe's Real Time Messaging Protocol 1.0 section 5.2",
};

/** A known version passes without a digest: some clients send none. */
export function confirmRtmp(bytes: Uint8Array): Confirmation {
  if (bytes.length < openingBytes) return more(openingBytes);
  const opening = asBuffer(bytes);
  const version = opening.subarray(versionAt, versionAt + versionBytes);
  if (version.readUInt32BE(0) === 0 || knownVersion.test(version.toString('hex'))) return match;
  const c1 = opening.subarray(1, openingBytes);
  return digestPlaces.some((place) => hasDigestAt(c1, place)) ? match : no;
}

function hasDigestAt(c1: Buffer, place: number): boolean {
  const further = c1.subarray(place, place + 4).reduce((sum, byte) => sum + byte, 0) % digestSpread;
  const start = place + 4 + further;
  const digest = createHmac('sha256', digestKey);
  digest.update(c1.subarray(0, start)).update(c1.subarray(start + digestBytes));
  return digest.digest().equals(c1.subarray(start, start + digestBytes));
}
