/**
 * Type-length-value vectors of a version 2 PROXY header (section 2.2 of the specification). They must fill the header
 * exactly and match a CRC32c if there is one; otherwise the header was truncated or altered and is refused.
 */
import type { Doubtful, Facts } from '../model/facts.js';
import { boundAnswer, factLimits } from './bounds.js';
import { crc32c } from './crc32c.js';

export interface Tlvs {
  readonly facts: Facts;
  /** Not empty when an authority TLV is malformed or ambiguous: rules on host names can not rely on it. */
  readonly doubtful: Doubtful;
}

const type = { alpn: 0x01, authority: 0x02, crc32c: 0x03, uniqueId: 0x05, tls: 0x20 } as const;
const tlsType = { version: 0x21, commonName: 0x22, cipher: 0x23 } as const;

const headBytes = 3;
const checksumBytes = 4;
/** The fields `client` and `verify`. */
const tlsFixedBytes = 5;
const clientUsedTls = 0x01;
const clientSentCertificate = 0x06;
/** RFC 1035 section 2.3.4. */
const nameBytesMax = 255;

/** Null: malformed, or a wrong checksum. */
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

/** Range of a value in the header. */
type Part = readonly [start: number, end: number];

const bytesOf = (header: Buffer, [start, end]: Part): Buffer => header.subarray(start, end);

const readable: ReadonlySet<number> = new Set([...Object.values(type), ...Object.values(tlsType)]);

/** Values by type, for the types in `readable`; null: lengths do not add up. */
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

/** Section 2.2.3: CRC32c of the whole header, with the checksum field zeroed. */
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

/** The first value of its type, as text. */
function fact(name: string, header: Buffer, parts: readonly Part[] = []): Facts {
  const [part] = parts;
  return part === undefined || part[0] === part[1] ? {} : { [name]: textOf(bytesOf(header, part)) };
}

const utf8 = new TextDecoder('utf-8', { fatal: true });
const isControl = /\p{Cc}/u;

/** Values that are not text are written as hexadecimal digits with the prefix `0x`. */
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

/** The host name in lower case; empty: an empty name was sent; null: not a host name. */
function nameOf(bytes: Buffer): string | null {
  if (bytes.length > nameBytesMax) return null;
  const text = decode(bytes);
  return text === null || /\s/.test(text) ? null : text.toLowerCase();
}
