/**
 * TLS: a ClientHello in any record version, in one or several records; or, from old clients, in SSL 2 framing, which
 * has no server name and no reliable version.
 */
import type { FactsAnswer } from '../model/facts.js';
import type { Protocol } from '../model/protocol.js';
import { clientHello, helloBytesMax, helloHeaderBytes, readClientHello } from './client-hello.js';
import { asBuffer, Cursor } from './cursor.js';

/** Upper bound on the records of a hello. */
const recordsMax = 64;
/** RFC 8446 section 5.1. */
const recordBytesMax = 16_384;

const recordHeaderBytes = 5;
const handshakeRecord = 22;
const majorVersion = 3;

/** RFC 8446 section 5.1: the record version is ignored; before SSL 3.0 this record type did not exist. */
const record = '\\x16[\\x03-\\xff][^]';
/** Lengths of records that reach the hello's version. */
const length = '(?:\\x00[\\x06-\\xff]|[\\x01-\\x3f][^]|\\x40\\x00)';

/**
 * A first record shorter than 6 bytes ends before the hello's version; longer ones must show it. Higher versions are
 * accepted: the server answers with its own (RFC 5246 appendix E.1).
 */
export const recordPatterns: readonly string[] = [
  `^${record}\\x00[\\x01-\\x05]\\x01`,
  `^${record}${length}\\x01\\x00[^]{2}\\x03[^]`,
  `^\\x16\\x03[^]${length}\\x01\\x00[^]{2}[\\x04-\\xff][^]`,
];

/** RFC 5246 appendix E.2: length, type, version; lengths of cipher specs, session id and challenge. */
const ssl2Framed = '^[\\x80\\x81][^]\\x01[\\x03\\x04][^][\\x00\\x01][^]\\x00[\\x00\\x10]\\x00[\\x10-\\x20]';
const ssl2FrameBit = 0x80;

export const tls: Protocol = {
  id: 'tls',
  transports: ['tcp'],
  rank: 10,
  signature: { patterns: [...recordPatterns, ssl2Framed] },
  factNames: ['sni', 'alpn', 'versions', 'ech'],
  words:
    'a handshake record (16, any version from 3.0 on) that begins a ClientHello, or one in the frame of SSL 2',
  source: 'RFC 8446 sections 4.1.2 and 5.1, RFC 5246, RFC 6101',
  facts: tlsFacts,
};

/** Facts of the hello; a malformed hello has none. */
export function tlsFacts(bytes: Uint8Array): FactsAnswer {
  if ((bytes[0] ?? 0) & ssl2FrameBit) return { verdict: 'facts', facts: { versions: ['ssl2-framed'] } };
  const hello = reassemble(asBuffer(bytes));
  if (hello === 'broken') return { verdict: 'broken', facts: {} };
  if (typeof hello === 'number') return { verdict: 'more', bytesNeeded: hello, facts: {} };
  const facts = readClientHello(new Cursor(hello, helloHeaderBytes), { cookie: false });
  return facts ? { verdict: 'facts', facts } : { verdict: 'broken', facts: {} };
}

/** The hello with its header, or the number of bytes needed in total (RFC 8446 section 5.1). */
function reassemble(bytes: Buffer): Buffer | number | 'broken' {
  const parts: Buffer[] = [];
  let position = 0;
  let have = 0;
  let need = helloHeaderBytes;
  while (have < need) {
    if (parts.length === recordsMax) return 'broken';
    const payload = position + recordHeaderBytes;
    if (bytes.length < payload) return payload;
    const length = recordLength(bytes, position);
    if (length === 0) return 'broken';
    const part = bytes.subarray(payload, payload + length);
    parts.push(part);
    have += part.length;
    if (need === helloHeaderBytes && have >= need) need = helloLength(joined(parts));
    if (need === 0) return 'broken';
    if (part.length < length && have < need) return payload + Math.min(length, part.length + need - have);
    position = payload + length;
  }
  return joined(parts).subarray(0, need);
}

/** No copy for a hello in one record, the usual case. */
function joined(parts: readonly Buffer[]): Buffer {
  return parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts);
}

/** Payload length of the handshake record at `position`; 0 when it is not one. */
function recordLength(bytes: Buffer, position: number): number {
  const length = bytes.readUInt16BE(position + 3);
  // Any major version, but the same in all records: endpoints refuse a change.
  const major = bytes.readUInt8(position + 1);
  const isHandshake = bytes[position] === handshakeRecord && major === bytes[1] && major >= majorVersion;
  return isHandshake && length <= recordBytesMax ? length : 0;
}

/** Length of the hello including its header; 0 when it is not a ClientHello or too large. */
function helloLength(handshake: Buffer): number {
  const length = helloHeaderBytes + handshake.readUIntBE(1, 3);
  return handshake[0] === clientHello && length <= helloBytesMax ? length : 0;
}
