/** KCP in the clear: the first segments of a conversation. With encryption or error correction it has no fixed bytes. */
import type { Confirmation, Protocol } from '../model/protocol.js';
import { asBuffer } from './cursor.js';

/** conv, cmd, frg, wnd, ts, sn, una, len: little-endian. */
const headerBytes = 24;
const lengthOffset = 20;

export const kcp: Protocol = {
  id: 'kcp',
  transports: ['udp'],
  rank: 40,
  signature: {
    patterns: ['^[^]{4}\\x51[^]{19}'],
    // Sequence number and what is acknowledged begin at 0.
    checks: ['u32le(12) == 0', 'u32le(16) == 0', 'u32le(20) >= 1', 'u32le(20) + 24 <= total'],
  },
  confirm: confirmKcp,
  words: 'a push segment (81 at byte 4), number 0 and nothing acknowledged; segments add up to the datagram',
  source: 'ikcp.c of skywind3000/kcp',
};

/** Segments follow each other, all of one conversation. */
function confirmKcp(bytes: Uint8Array): Confirmation {
  const datagram = asBuffer(bytes);
  let position = 0;
  while (position + headerBytes <= datagram.length) {
    if (!isSegment(datagram, position)) return { verdict: 'no' };
    position += headerBytes + datagram.readUInt32LE(position + lengthOffset);
  }
  return { verdict: position === datagram.length ? 'match' : 'no' };
}

/** Push, acknowledge, ask for the window, tell the window: 81 to 84. */
function isSegment(datagram: Buffer, position: number): boolean {
  const command = datagram.readUInt8(position + 4);
  return datagram.readUInt32LE(position) === datagram.readUInt32LE(0) && command >= 81 && command <= 84;
}
