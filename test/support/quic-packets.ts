/** QUIC packets as they look to whoever has no keys: headers, and something behind them. */
import { randomBytes } from 'node:crypto';

export const quicVersions = { v1: 1, v2: 0x6b3343cf } as const;

/** Bits of the first octet (RFC 9000, section 17.2; RFC 9369, section 3.2). */
const typesOfV1 = { initial: 0, zeroRtt: 1, handshake: 2, retry: 3 } as const;
const typesOfV2 = { retry: 0, initial: 1, zeroRtt: 2, handshake: 3 } as const;

export type LongType = keyof typeof typesOfV1;

export interface LongPacket {
  readonly type?: LongType;
  /** 0: Version Negotiation. */
  readonly version?: number;
  readonly to: Uint8Array;
  readonly from: Uint8Array;
}

export function longPacket({ type = 'initial', version = 1, to, from }: LongPacket): Buffer {
  const bits = (version === quicVersions.v2 ? typesOfV2 : typesOfV1)[type];
  const first = Buffer.from([0xc0 | (bits << 4), 0, 0, 0, 0]);
  first.writeUInt32BE(version, 1);
  return Buffer.concat([first, Buffer.from([to.length]), to, Buffer.from([from.length]), from, rest()]);
}

export const shortPacket = (to: Uint8Array, behind: Uint8Array = rest()): Buffer =>
  Buffer.concat([Buffer.from([0x40]), to, behind]);

const rest = (): Buffer => randomBytes(40);
