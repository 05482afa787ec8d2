/**
 * What a PROXY header of version 2 says behind its addresses: type-length-value vectors (section 2.2 of the
 * specification). They must add up to the header, and a checksum among them must be right: a header that was cut,
 * joined or changed on its way is none.
 */
import type { Doubtful, Facts } from '../model/facts.js';
import { boundAnswer, factLimits } from './bounds.js';
import { crc32c } from './crc32c.js';

export interface Tlvs {
  readonly facts: Facts;
  /** A name was sent that can not be read for certain: what routes know of names is not to be relied on. */
  readonly doubtful: Doubtful;
}

const type = { alpn: 0x01, authority: 0x02, crc32c: 0x03, uniqueId: 0x05, tls: 0x20 } as const;
const tlsType = { version: 0x21, commonName: 0x22, cipher: 0x23 } as const;

const headBytes = 3;
const checksumBytes = 4;
/** `client` and `verify`. */
const tlsFixedBytes = 5;
const clientUsedTls = 0x01;
const clientSentCertificate = 0x06;
/** RFC 1035 section 2.3.4. */
const nameBytesMax = 255;

/** Null: they are malformed, or the checksum is wrong. */
export function readTlvs(header: Buffer, start: number): Tlvs | null {
  const values = split(header, start, header.length);
  if (values === null || !checksumHolds(header, values.get(type.crc32c))) return null;
  const tls = tlsFacts(header, values.get(type.tls)?.[0]);
  if (tls === null) return null;
  const names = (values.get(type.authority) ?? []).map((part) => nameOf(bytesOf(header, part)));
  const [name] = names;
  const isCertain = names.every((each) => each !== null && each === name);
  const facts = {
    ...(isCertain && name && { proxy_authority: name }),
    ...fact('proxy_alpn', header, values.get(type.alpn)),
    ...fact('proxy_unique_id', header, values.get(type.uniqueId)),
    ...tls,
  };
  return {
    facts: boundAnswer({ verdict: 'facts', facts }).facts,
    doubtful: isCertain ? [] : ['sni', 'host'],
  };
}

/** Where a value lies in the header. */
type Part = readonly [start: number, end: number];

const bytesOf = (header: Buffer, [start, end]: Part): Buffer => header.subarray(start, end);

const readable: ReadonlySet<number> = new Set([...Object.values(type), ...Object.values(tlsType)]);

/** By type, those that are read; null: they do not add up to the area. */
function split(header: Buffer, start: number, end: number): Map<number, Part[]> | null {
  const values = new Map<number, Part[]>();
  let at = start;
  while (at < end) {
    if (end - at < headBytes) return null;
    const from = at + headBytes;
    const to = from + header.readUInt16BE(at + 1);
    if (to > end) return null;
    keep(values, header[at] as number, [from, to]);
    at = to;
  }
  return values;
}

function keep(values: Map<number, Part[]>, kind: number, part: Part): void {
  const parts = values.get(kind);
  if (parts !== undefined) parts.push(part);
  else if (readable.has(kind)) values.set(kind, [part]);
}

/** Section 2.2.3: of the whole header, with zeros where the checksum is. */
function checksumHolds(header: Buffer, parts: readonly Part[] = []): boolean {
  const [part] = parts;
  if (part === undefined) return true;
  const [start, end] = part;
  if (parts.length > 1 || end - start !== checksumBytes) return false;
  const zeroed = Buffer.from(header);
  zeroed.fill(0, start, end);
  return crc32c(zeroed) === header.readUInt32BE(start);
}

/** Section 2.2.6; null: malformed. */
function tlsFacts(header: Buffer, part: Part | undefined): Facts | null {
  if (part === undefined) return {};
  const [start, end] = part;
  if (end - start < tlsFixedBytes) return null;
  const values = split(header, start + tlsFixedBytes, end);
  if (values === null) return null;
  const client = header[start] as number;
  const verified = header.readUInt32BE(start + 1) === 0;
  return {
    proxy_tls: (client & clientUsedTls) !== 0,
    ...fact('proxy_tls_version', header, values.get(tlsType.version)),
    ...fact('proxy_tls_cipher', header, values.get(tlsType.cipher)),
    ...fact('proxy_tls_cn', header, values.get(tlsType.commonName)),
    ...((client & clientSentCertificate) !== 0 && { proxy_tls_verified: verified }),
  };
}

/** The first of its type, as text. */
function fact(name: string, header: Buffer, parts: readonly Part[] = []): Facts {
  const [part] = parts;
  return part === undefined || part[0] === part[1] ? {} : { [name]: textOf(bytesOf(header, part)) };
}

const utf8 = new TextDecoder('utf-8', { fatal: true });
const isControl = /\p{Cc}/u;

/** Bytes that are no text are written as hexadecimal digits behind `0x`. */
function textOf(bytes: Buffer): string {
  return decode(bytes) ?? `0x${bytes.toString('hex', 0, factLimits.bytesMax / 2 - 1)}`;
}

function decode(bytes: Buffer): string | null {
  try {
    const text = utf8.decode(bytes);
    return isControl.test(text) ? null : text;
  } catch {
    return null;
  }
}

/** A host name in lower case, empty where none was sent; null where it can be none. */
function nameOf(bytes: Buffer): string | null {
  if (bytes.length > nameBytesMax) return null;
  const text = decode(bytes);
  return text === null || /\s/.test(text) ? null : text.toLowerCase();
}
