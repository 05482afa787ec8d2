/** MySQL's packets as far as a check needs them: the server's greeting and verdicts, and an answer with a user. */
import { asBuffer, Cursor } from '../protocols/cursor.js';

const HEADER_BYTES = 4;
const GREETING = 10;
const ERROR = 0xff;

export type MysqlPacket =
  | { readonly kind: 'greeting' | 'ok' | 'switch' | 'more' | 'other' }
  | { readonly kind: 'error'; readonly code: number };

const other: MysqlPacket = { kind: 'other' };

/** Kinds after the greeting, by first byte. */
const kinds: ReadonlyMap<number, MysqlPacket> = new Map<number, MysqlPacket>([
  [0x00, { kind: 'ok' }],
  [0x01, { kind: 'more' }],
  [0xfe, { kind: 'switch' }],
]);

/** Null: more is needed. `sequence`: the number that it must have; the greeting is 0. */
export function readMysqlPacket(bytes: Buffer, sequence: number): MysqlPacket | null {
  const cursor = new Cursor(bytes);
  const length = cursor.u8() + cursor.u8() * 256 + cursor.u8() * 65_536;
  const number = cursor.u8();
  if (cursor.overrun) return null;
  if (number !== sequence || length === 0) return other;
  const payload = cursor.sub(length);
  if (payload.left < length) return bytes.length > HEADER_BYTES && isForeign(bytes, sequence) ? other : null;
  const first = payload.u8();
  if (first === ERROR) return { kind: 'error', code: payload.u8() + payload.u8() * 256 };
  if (sequence === 0) return first === GREETING && length > HEADER_BYTES ? { kind: 'greeting' } : other;
  return kinds.get(first) ?? other;
}

/** A long text of another protocol could pass for the length of a packet. */
const isForeign = (bytes: Buffer, sequence: number): boolean =>
  sequence === 0 && bytes[HEADER_BYTES] !== GREETING && bytes[HEADER_BYTES] !== ERROR;

/** CLIENT_LONG_PASSWORD, PROTOCOL_41, SECURE_CONNECTION, PLUGIN_AUTH. */
const CAPABILITIES = 0x00088201;
const PACKET_BYTES_MAX = 16_777_216;
const UTF8 = 33;

export function encodePacket(sequence: number, payload: Uint8Array): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUIntLE(payload.length, 0, 3);
  header[3] = sequence;
  return Buffer.concat([header, asBuffer(payload)]);
}

/** HandshakeResponse41 of a user without password. */
export function encodeLogin(user: string): Buffer {
  const fixed = Buffer.alloc(32);
  fixed.writeUInt32LE(CAPABILITIES, 0);
  fixed.writeUInt32LE(PACKET_BYTES_MAX, 4);
  fixed[8] = UTF8;
  return encodePacket(1, Buffer.concat([fixed, Buffer.from(`${user}\0\0mysql_native_password\0`)]));
}

/** COM_QUIT */
export const quit = encodePacket(0, Buffer.of(0x01));
