/**
 * The datagrams that begin a link: `hello` from the client, Noise's second message from the server. Integers are
 * little-endian. Link ids, cookie and the head of an answer are the engine's.
 *
 *     hello: 0xA9 │ version u8 │ cipher u8 │ pattern u8 │ client's link id u64 │ cookie 16 │ Noise message 1 │ zeros
 */
import { type KcpCipher, kcpCiphers, kcpWireVersion } from '../model/kcp.js';
import { cipherNumber } from './keys.js';
import { type PatternName, patterns, TAG_BYTES } from './noise.js';
import { KEY_BYTES } from './x25519.js';

/** No answer is longer than this: a forged source is not sent more than its forger has sent. */
export const HELLO_BYTES = 512;
const TYPE = 0xa9;
/** What is bound into the handshake: type, version, cipher, pattern. */
const BOUND_BYTES = 4;
const MESSAGE_AT = 28;
const PROLOGUE = Buffer.from(`anyport kcp ${kcpWireVersion}`);

const patternNames = Object.keys(patterns) as PatternName[];

/** What one end tells the other of itself. */
export interface Terms {
  /** Number of the conversation; drawn by the client. */
  readonly conv: number;
  /** UDP payload that it takes. */
  readonly mtu: number;
  /** Segments. */
  readonly sendWindow: number;
  readonly receiveWindow: number;
  /** Of what it sends; the other end finds it out itself. */
  readonly fec: { readonly data: number; readonly parity: number };
  /** Since the epoch. */
  readonly timeMs: number;
}

const TERMS_BYTES = 20;

export function writeTerms({ conv, mtu, sendWindow, receiveWindow, fec, timeMs }: Terms): Buffer {
  const bytes = Buffer.alloc(TERMS_BYTES);
  bytes.writeUInt32LE(conv, 0);
  bytes.writeUInt16LE(mtu, 4);
  bytes.writeUInt16LE(sendWindow, 6);
  bytes.writeUInt16LE(receiveWindow, 8);
  bytes.writeUInt8(fec.data, 10);
  bytes.writeUInt8(fec.parity, 11);
  bytes.writeBigUInt64LE(BigInt(timeMs), 12);
  return bytes;
}

/** Of a payload that is genuine. Null: of another length. */
export function readTerms(bytes: Buffer): Terms | null {
  if (bytes.length !== TERMS_BYTES) return null;
  return {
    conv: bytes.readUInt32LE(0),
    mtu: bytes.readUInt16LE(4),
    sendWindow: bytes.readUInt16LE(6),
    receiveWindow: bytes.readUInt16LE(8),
    fec: { data: bytes.readUInt8(10), parity: bytes.readUInt8(11) },
    timeMs: Number(bytes.readBigUInt64LE(12)),
  };
}

/** Of a server alone: what ends the link once the server does not know it any more (native/kcp/reset.h). */
const TOKEN_BYTES = 16;

/** `token`: of the link's id at the server. */
export const writeAnswer = (terms: Terms, token: Uint8Array): Buffer =>
  Buffer.concat([writeTerms(terms), token]);

/** Of a payload that is genuine. Null: of another length. */
export function readAnswer(bytes: Buffer): { readonly terms: Terms; readonly token: Buffer } | null {
  const terms = readTerms(bytes.subarray(0, TERMS_BYTES));
  const token = bytes.subarray(TERMS_BYTES);
  return terms !== null && token.length === TOKEN_BYTES ? { terms, token } : null;
}

export interface Offer {
  readonly cipher: KcpCipher;
  readonly pattern: PatternName;
}

const head = ({ cipher, pattern }: Offer): Buffer =>
  Buffer.from([TYPE, kcpWireVersion, cipherNumber(cipher), patternNames.indexOf(pattern)]);

/** What makes a handshake fail if the two ends do not mean the same. */
export const prologueOf = (offer: Offer): Buffer => Buffer.concat([head(offer), PROLOGUE]);

/** Without link id and cookie, which the engine fills in. */
export function writeHello(offer: Offer, message: Uint8Array): Buffer {
  const hello = Buffer.alloc(HELLO_BYTES);
  head(offer).copy(hello);
  hello.set(message, MESSAGE_AT);
  return hello;
}

/** `malformed`: no hello. `version`: of another one, which no later field can be read of. */
export type ReadHello =
  | (Offer & { readonly kind: 'hello'; readonly message: Buffer })
  | { readonly kind: 'version'; readonly version: number }
  | { readonly kind: 'malformed' };

export function readHello(bytes: Buffer): ReadHello {
  if (bytes.length !== HELLO_BYTES || bytes[0] !== TYPE) return { kind: 'malformed' };
  const [, version = 0, cipherAt = 0, patternAt = 0] = bytes.subarray(0, BOUND_BYTES);
  if (version !== kcpWireVersion) return { kind: 'version', version };
  const [cipher, pattern] = [kcpCiphers[cipherAt], patternNames[patternAt]];
  if (cipher === undefined || pattern === undefined) return { kind: 'malformed' };
  return {
    kind: 'hello',
    cipher,
    pattern,
    message: bytes.subarray(MESSAGE_AT, MESSAGE_AT + messageBytes(pattern)),
  };
}

const messageBytes = (pattern: PatternName): number =>
  KEY_BYTES + TERMS_BYTES + (pattern === 'NN' ? 0 : TAG_BYTES);
