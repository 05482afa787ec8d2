/**
 * Unencrypted KCP: the first segments of a conversation; plain, or from kcp-go with forward error correction (FEC),
 * with its cipher `none`, or both. Encrypted KCP has no fixed bytes, but for the hello of a link between two anyports.
 */
import { crc32 } from 'node:zlib';
import { kcpWireVersion } from '../model/kcp.js';
import type { Confirmation, Protocol } from '../model/protocol.js';
import { asBuffer } from './cursor.js';

/** conv, cmd, frg, wnd, ts, sn, una, len; little-endian. */
const headerBytes = 24;
const push = 81;
const askWindow = 83;
const tellWindow = 84;
/** Upper bound on frg (fragments still to come): the smallest receive window. */
const fragmentsMax = 128;

/** Header of kcp-go's cipher `none`: nonce, CRC-32 of the rest. */
const cipherBytes = 20;
const nonceBytes = 16;
/** FEC header: shard number, type 00F1 (data), size including the size field. */
const fecBytes = 8;
const fecSizeOffset = 6;
const dataShard = 0x00f1;

/** A push below 64 KiB; sn and una start at 0. */
const segment = '[^]{4}\\x51[\\x00-\\x7f][^]{6}\\x00{8}[^]{2}\\x00\\x00';
const shard = '\\x00{4}\\xf1\\x00[^]{2}';
const plain = [`^${segment}`, `^${shard}${segment}`];
const cipher = `[^]{${cipherBytes}}`;

/** A hello between two anyports (docs/kcp.md): type, version, cipher, pattern; zeros behind the handshake's message. */
const helloBytes = 512;
const helloStart = `\\xa9\\x0${kcpWireVersion}[\\x00-\\x03][\\x00-\\x02]`;
/** Head of 28 bytes, key of 32, what it says of itself 20, tag 16. */
const helloEnd = 96;

export const kcp: Protocol = {
  id: 'kcp',
  transports: ['udp'],
  // Before the other structures: the checks are strong, and the nonce in front may look like anything.
  rank: 39,
  signature: { patterns: plain },
  datagram: {
    signature: {
      patterns: [...plain, `^${cipher}${segment}`, `^${cipher}${shard}${segment}`, `^${helloStart}`],
    },
    confirm: (bytes): Confirmation => ({ verdict: isOpening(asBuffer(bytes)) ? 'match' : 'no' }),
  },
  words:
    'a push segment (81 at byte 4), number 0 and nothing acknowledged, segments that add up to the datagram; in kcp-go perhaps behind 20 bytes with a CRC-32 and 8 of error correction; or the hello of a link between two anyports',
  source: 'ikcp.c of skywind3000/kcp; crypt.go and fec.go of xtaci/kcp-go; docs/kcp.md',
};

function isOpening(datagram: Buffer): boolean {
  if (isHello(datagram)) return true;
  return isPayload(datagram) || (hasCipherHeader(datagram) && isPayload(datagram.subarray(cipherBytes)));
}

const HELLO = new RegExp(`^${helloStart}`);

function isHello(datagram: Buffer): boolean {
  if (datagram.length !== helloBytes || !HELLO.test(datagram.toString('latin1', 0, 4))) return false;
  return datagram.subarray(helloEnd).every((byte) => byte === 0);
}

function hasCipherHeader(datagram: Buffer): boolean {
  if (datagram.length < cipherBytes + headerBytes) return false;
  return crc32(datagram.subarray(cipherBytes)) === datagram.readUInt32LE(nonceBytes);
}

const isPayload = (payload: Buffer): boolean =>
  areSegments(payload) || (isFirstShard(payload) && areSegments(payload.subarray(fecBytes)));

function isFirstShard(payload: Buffer): boolean {
  if (payload.length < fecBytes + headerBytes) return false;
  const isFirst = payload.readUInt32LE(0) === 0 && payload.readUInt16LE(4) === dataShard;
  return isFirst && payload.readUInt16LE(fecSizeOffset) === payload.length - fecSizeOffset;
}

/** Segments are contiguous up to the end; the first is a push. */
function areSegments(payload: Buffer): boolean {
  let [position, pushes] = [0, 0];
  while (position + headerBytes <= payload.length) {
    const command = payload.readUInt8(position + 4);
    const length = payload.readUInt32LE(position + 20);
    if (!belongs(payload, position) || !isNext(payload, position, pushes)) return false;
    if (command === push) pushes++;
    else if (pushes === 0 || length > 0) return false;
    position += headerBytes + length;
  }
  return position === payload.length && pushes > 0;
}

/** Same conversation, una 0. */
function belongs(payload: Buffer, position: number): boolean {
  const isSame = payload.readUInt32LE(position) === payload.readUInt32LE(0);
  return (
    isSame && payload.readUInt8(position + 5) < fragmentsMax && payload.readUInt32LE(position + 16) === 0
  );
}

/** Pushes are numbered from 0 without gaps; the only other segments allowed are window probes. */
function isNext(payload: Buffer, position: number, pushes: number): boolean {
  const command = payload.readUInt8(position + 4);
  const number = payload.readUInt32LE(position + 12);
  return command === push ? number === pushes : command === askWindow || command === tellWindow;
}
