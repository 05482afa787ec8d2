import { createHmac } from 'node:crypto';
import { type Case, hex } from './case.js';

const opening = (digits: string): Uint8Array => Buffer.concat([hex(digits), Buffer.alloc(1528, 0xa5)]);

/** With C1's digest at the offset that the block's first four bytes give: 4 × a5. */
function digested(digits: string, place: number): Uint8Array {
  const bytes = opening(digits);
  const start = 1 + place + 4 + ((4 * 0xa5) % 728);
  const digest = createHmac('sha256', 'Genuine Adobe Flash Player 001');
  digest.update(bytes.subarray(1, start)).update(bytes.subarray(start + 32));
  bytes.set(digest.digest(), start);
  return bytes;
}

export const cases: readonly Case[] = [
  { why: 'C0 and C1', bytes: opening('03 00 16 94 74 00 00 00 00'), expect: { protocol: 'rtmp', at: 1537 } },
  {
    why: 'of a Flash player',
    bytes: opening('03 00 16 94 74 09 00 7c 02'),
    expect: { protocol: 'rtmp', at: 1537 },
  },
  { why: 'encrypted', bytes: opening('06 00 16 96 04 80 00 03 02'), expect: { protocol: 'rtmp', at: 1537 } },
  {
    why: 'of a player with its digest at the first place',
    bytes: digested('03 00 16 94 74 1b 00 00 bb', 8),
    expect: { protocol: 'rtmp', at: 1537 },
  },
  {
    why: 'of a player with its digest at the second place',
    bytes: digested('03 00 16 94 74 1b 00 00 bb', 772),
    expect: { protocol: 'rtmp', at: 1537 },
  },
  {
    why: 'of no player, without a digest',
    bytes: opening('03 00 16 94 74 1b 00 00 bb'),
    expect: { unknownAt: 1537 },
  },
  {
    why: 'one byte is missing',
    bytes: opening('03 00 16 94 74 00 00 00 00').subarray(0, 1536),
    expect: 'more',
  },
  {
    why: 'Cassandra asks for options: no more will come, and it is not RTMP',
    bytes: hex('03 00 00 00 05 00 00 00 00'),
    expect: 'more',
  },
  { why: 'Cassandra begins', bytes: hex('03 00 00 00 01 00 00 00 16'), expect: { unknownAt: 9 } },
  { why: 'no such version', bytes: hex('07 00 16 94 74 00 00 00 00'), expect: { unknownAt: 1 } },
];
