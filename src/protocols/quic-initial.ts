/**
 * QUIC Initial packets: decrypts the CRYPTO frames of a datagram. The keys derive from the client's destination
 * connection id, so any observer can read them (RFC 9001 section 5.2).
 */
import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto';
import { Cursor } from './cursor.js';

export interface QuicVersion {
  readonly name: string;
  readonly salt: Buffer;
  /** Prefix of the HKDF labels. */
  readonly label: string;
  /** Type of the frame that carries the handshake. */
  readonly cryptoFrame: number;
  /** A TLS hello, or Google's CHLO. */
  readonly hello: 'tls' | 'chlo';
}

const draft22Salt = '7fbcdb0e7c66bbe9193a96cd21519ebd7a02644a';
const draft23Salt = 'c3eef712c72ebb5a11a7d2432bb46365bef9f502';
const draft29Salt = 'afbfec289993d24c9e9786f19c6111e04390a899';
const version1Salt = '38762cf7f55934b34d179ae6a4c80cadccbb7f0a';

/**
 * Salts: RFC 9001 section 5.2, RFC 9369 section 3.3, late drafts that were deployed; Google's and Facebook's from
 * Chromium and mvfst.
 */
export const quicVersions: ReadonlyMap<number, QuicVersion> = new Map([
  [0x00000001, version('1', version1Salt)],
  [0x6b3343cf, version('2', '0dede3def700a6db819381be6e269dcbf9bd2ed9', { label: 'quicv2' })],
  ...drafts(23, 28, draft23Salt),
  ...drafts(29, 32, draft29Salt),
  ...drafts(33, 34, version1Salt),
  [
    0x51303530,
    version('Q050', '504574efd066fe2f9d945cfcdbd3a7f0d3b56b45', { cryptoFrame: 8, hello: 'chlo' }),
  ],
  [0x54303530, version('T050', '7ff579e5acd072915580304c43a2367c60488310', { cryptoFrame: 8 })],
  [0x54303531, version('T051', '7a4edef4e7ccee5fa4506c19124fc8ccda6e033d', { cryptoFrame: 8 })],
  [0xfaceb001, version('mvfst', draft22Salt)],
  [0xfaceb002, version('mvfst', draft23Salt)],
  [0xfaceb00e, version('mvfst', draft23Salt)],
]);

function drafts(first: number, last: number, salt: string): [number, QuicVersion][] {
  return Array.from({ length: last - first + 1 }, (_, later) => [
    0xff000000 + first + later,
    version(`draft-${first + later}`, salt),
  ]);
}

function version(name: string, salt: string, other: Partial<QuicVersion> = {}): QuicVersion {
  return { name, salt: Buffer.from(salt, 'hex'), label: 'quic', cryptoFrame: 6, hello: 'tls', ...other };
}

/** Offsets in a long header packet with token and length (RFC 9000 section 17.2.2). */
export interface InitialHeader {
  readonly first: number;
  readonly version: number;
  readonly destination: Buffer;
  readonly start: number;
  readonly packetNumber: number;
  readonly end: number;
}

/** Maximum length of a connection id (RFC 9000 section 17.2). */
const idBytesMax = 20;
/** Packet number (4 bytes, up to the sample) and the 16-byte sample for header protection (RFC 9001 section 5.4.2). */
const protectedBytesMin = 20;
const tagBytes = 16;

/** Null when the header is truncated or malformed; `end` may be beyond the bytes present. */
export function readInitialHeader(bytes: Buffer, start: number): InitialHeader | null {
  const cursor = new Cursor(bytes, start);
  const first = cursor.u8();
  const number = cursor.u16() * 0x1_0000 + cursor.u16();
  const idBytes = cursor.u8();
  const destination = bytes.subarray(start + 6, start + 6 + idBytes);
  cursor.skip(idBytes);
  const sourceBytes = cursor.u8();
  cursor.skip(sourceBytes);
  cursor.skip(variable(cursor));
  const length = variable(cursor);
  if (cursor.overrun || idBytes > idBytesMax || sourceBytes > idBytesMax || length < protectedBytesMin)
    return null;
  const packetNumber = bytes.length - cursor.left;
  return { first, version: number, destination, start, packetNumber, end: packetNumber + length };
}

/** Variable-length integer: the two top bits give its length (RFC 9000 section 16). */
export function variable(cursor: Cursor): number {
  const first = cursor.u8();
  let value = first & 0x3f;
  for (let left = (1 << (first >> 6)) - 1; left > 0; left--) value = value * 0x100 + cursor.u8();
  return value;
}

export interface Keys {
  readonly key: Buffer;
  readonly iv: Buffer;
  readonly headerProtection: Buffer;
}

/** Keys of the client's Initial packets. */
export function clientKeys({ salt, label }: QuicVersion, destination: Buffer): Keys {
  const initial = hmac(salt, destination);
  const client = expand(initial, 'client in', 32);
  return {
    key: expand(client, `${label} key`, 16),
    iv: expand(client, `${label} iv`, 12),
    headerProtection: expand(client, `${label} hp`, 16),
  };
}

const hmac = (key: Buffer, data: Buffer): Buffer => createHmac('sha256', key).update(data).digest();

/** HKDF-Expand-Label (RFC 8446 section 7.1) with an empty context; outputs fit into one block. */
function expand(secret: Buffer, label: string, length: number): Buffer {
  const name = `tls13 ${label}`;
  const info = Buffer.concat([Buffer.of(0, length, name.length), Buffer.from(name), Buffer.of(0, 1)]);
  return hmac(secret, info).subarray(0, length);
}

/** Decrypts the packet's frames; null when authentication fails. The packet must be complete. */
export function openInitial(bytes: Buffer, header: InitialHeader, keys: Keys): Buffer | null {
  const { start, packetNumber, end } = header;
  const sample = bytes.subarray(packetNumber + 4, packetNumber + protectedBytesMin);
  const mask = createCipheriv('aes-128-ecb', keys.headerProtection, null).update(sample);
  const head = Buffer.from(bytes.subarray(start, packetNumber + 4));
  head[0] = header.first ^ ((mask[0] ?? 0) & 0x0f);
  const numberBytes = (head.readUInt8(0) & 0x03) + 1;
  const nonce = Buffer.from(keys.iv);
  for (let i = 0; i < numberBytes; i++) {
    const at = packetNumber - start + i;
    head[at] = head.readUInt8(at) ^ (mask[1 + i] ?? 0);
    const place = nonce.length - numberBytes + i;
    nonce[place] = nonce.readUInt8(place) ^ head.readUInt8(at);
  }
  const payload = bytes.subarray(packetNumber + numberBytes, end);
  return decrypt(payload, keys.key, nonce, head.subarray(0, packetNumber - start + numberBytes));
}

function decrypt(payload: Buffer, key: Buffer, nonce: Buffer, head: Buffer): Buffer | null {
  if (payload.length < tagBytes) return null;
  const decipher = createDecipheriv('aes-128-gcm', key, nonce).setAAD(head);
  decipher.setAuthTag(payload.subarray(-tagBytes));
  const frames = decipher.update(payload.subarray(0, -tagBytes));
  try {
    decipher.final();
    return frames;
  } catch {
    return null; // authentication failed: the only error of `final`
  }
}
