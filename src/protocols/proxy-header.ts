/**
 * Parser for the PROXY header of a load balancer, before a stream or (version 2) before each datagram: addresses and
 * TLVs. Whether a peer may send one is the listener's setting. For live sessions native/sniff/proxy_header finds its end and the announced source; the facts are read
 * here, from the same bytes.
 */
import { isIPv4, isIPv6, SocketAddress } from 'node:net';
import type { Doubtful, Facts, FactsAnswer } from '../model/facts.js';
import type { Transport } from '../model/protocol.js';
import type { AddressText } from '../model/session.js';
import { asBuffer } from './cursor.js';
import { readTlvs, type Tlvs } from './proxy-tlvs.js';

/** A header, no header, or an incomplete one, which needs `bytesNeeded` bytes in total. */
export type ProxyHeaderAnswer =
  | { readonly verdict: 'header'; readonly header: ProxyHeader }
  | { readonly verdict: 'more'; readonly bytesNeeded: number }
  | { readonly verdict: 'no' };

export interface ProxyHeader {
  /** The session starts behind the header. */
  readonly headerBytes: number;
  /** Null: use the connection's own addresses (UNKNOWN, LOCAL). */
  readonly addresses: { readonly source: AddressText; readonly destination: AddressText } | null;
  /** Facts for routes and the access log: `proxy`, `proxy_source`, `proxy_destination`, and the TLVs of version 2. */
  readonly facts: Facts;
  /** Facts on host names, when a TLV names a host that is ambiguous or malformed. */
  readonly doubtful: Doubtful;
}

type Addresses = ProxyHeader['addresses'];

/** Section 2.1 of the specification; including CR LF. */
const lineBytesMax = 107;
const linePrefix = Buffer.from('PROXY ');

/** Section 2.2: signature, version and command, family, length. */
const signature = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');
const fixedBytes = 16;
const local = 0x20;
const proxied = 0x21;

const no: ProxyHeaderAnswer = { verdict: 'no' };

/** `transport`: what the bytes are of; a header that announces another one is none. */
export function readProxyHeader(bytes: Uint8Array, transport: Transport): ProxyHeaderAnswer {
  const buffer = asBuffer(bytes);
  const answer = readHeader(buffer, transport);
  // A datagram is complete.
  return answer.verdict === 'more' && transport === 'udp' ? no : answer;
}

function readHeader(bytes: Buffer, transport: Transport): ProxyHeaderAnswer {
  // Version 1 knows TCP alone.
  if (transport === 'tcp' && startsAlike(bytes, linePrefix)) return readLine(bytes);
  return startsAlike(bytes, signature) ? readBinary(bytes, transport) : no;
}

/** Whether one is a prefix of the other. */
function startsAlike(bytes: Buffer, prefix: Buffer): boolean {
  const length = Math.min(bytes.length, prefix.length);
  return bytes.subarray(0, length).equals(prefix.subarray(0, length));
}

/** Adds the header's facts to those of the opening. */
export function withHeader(
  answer: FactsAnswer,
  { facts, doubtful }: Pick<ProxyHeader, 'facts' | 'doubtful'>,
): FactsAnswer {
  const both = { ...answer.facts, ...facts };
  if (answer.verdict === 'broken') return { ...answer, facts: both };
  return { ...answer, facts: both, doubtful: [...(answer.doubtful ?? []), ...doubtful] };
}

const noTlvs: Tlvs = { facts: {}, doubtful: [] };

function answer(
  version: 'v1' | 'v2',
  headerBytes: number,
  addresses: Addresses,
  { facts: further, doubtful } = noTlvs,
): ProxyHeaderAnswer {
  const { source, destination } = addresses ?? {};
  const announced = addresses && { proxy_source: source, proxy_destination: destination };
  const facts = { proxy: version, ...announced, ...further };
  return { verdict: 'header', header: { headerBytes, addresses, facts, doubtful } };
}

// ---- version 1

function readLine(bytes: Buffer): ProxyHeaderAnswer {
  const end = bytes.subarray(0, lineBytesMax).indexOf('\r\n');
  if (end < 0) return bytes.length < lineBytesMax ? { verdict: 'more', bytesNeeded: bytes.length + 1 } : no;
  const addresses = lineAddresses(bytes.toString('latin1', linePrefix.length, end));
  return addresses === undefined ? no : answer('v1', end + 2, addresses);
}

/** Undefined: malformed. */
function lineAddresses(line: string): Addresses | undefined {
  const [family, source = '', destination = '', sourcePort = '', destinationPort = '', ...rest] =
    line.split(' ');
  if (family === 'UNKNOWN') return null; // the rest of the line is ignored
  const isAddress = family === 'TCP4' ? isIPv4 : family === 'TCP6' ? isPlainIPv6 : () => false;
  if (!isAddress(source) || !isAddress(destination) || rest.length > 0) return undefined;
  if (!isPort(sourcePort) || !isPort(destinationPort)) return undefined;
  return {
    source: addressText(source, Number(sourcePort)),
    destination: addressText(destination, Number(destinationPort)),
  };
}

const isPlainIPv6 = (text: string): boolean => isIPv6(text) && !text.includes('%');

const isPort = (text: string): boolean => /^(?:0|[1-9][0-9]{0,4})$/.test(text) && Number(text) <= 0xffff;

// ---- version 2

/** Address block by family: minimum length and parser. */
interface BlockForm {
  readonly bytes: number;
  readonly read: (block: Buffer) => Addresses;
}

const unspecified: BlockForm = { bytes: 0, read: () => null };
const ipv4 = inetForm(4, (address) => address.join('.'));
const ipv6 = inetForm(16, ipv6Text);
const unix: BlockForm = {
  bytes: 216,
  read: (block) => ({ source: pathText(block, 0), destination: pathText(block, 108) }),
};

const forms: readonly BlockForm[] = [unspecified, ipv4, ipv6, unix];

/** The low half of the byte with the family. */
const types: Readonly<Record<Transport, number>> = { tcp: 1, udp: 2 };

/** Undefined: there is no such family and type, or the type is not what is carried. */
function formOf(familyAndType: number, transport: Transport): BlockForm | undefined {
  const [form, type] = [forms[familyAndType >> 4], familyAndType & 0x0f];
  const isUnspecified = form === unspecified && type <= types.udp;
  return isUnspecified || type === types[transport] ? form : undefined;
}

function readBinary(bytes: Buffer, transport: Transport): ProxyHeaderAnswer {
  const [command = proxied, family = 0] = bytes.subarray(signature.length);
  // LOCAL: the connection's own addresses count; the block is skipped.
  const form = command === local ? unspecified : formOf(family, transport);
  if ((command !== local && command !== proxied) || form === undefined) return no;
  if (bytes.length < fixedBytes) return { verdict: 'more', bytesNeeded: fixedBytes };
  const headerBytes = fixedBytes + bytes.readUInt16BE(fixedBytes - 2);
  if (headerBytes < fixedBytes + form.bytes) return no;
  if (bytes.length < headerBytes) return { verdict: 'more', bytesNeeded: headerBytes };
  // The length of unspecified addresses is unknown, so TLVs behind them can not be found: the block is skipped.
  if (form === unspecified) return answer('v2', headerBytes, null);
  const tlvs = readTlvs(bytes.subarray(0, headerBytes), fixedBytes + form.bytes);
  return tlvs === null ? no : answer('v2', headerBytes, form.read(bytes.subarray(fixedBytes)), tlvs);
}

function inetForm(size: number, textOf: (address: Buffer) => string): BlockForm {
  return {
    bytes: 2 * size + 4,
    read: (block) => ({
      source: addressText(textOf(block.subarray(0, size)), block.readUInt16BE(2 * size)),
      destination: addressText(textOf(block.subarray(size, 2 * size)), block.readUInt16BE(2 * size + 2)),
    }),
  };
}

function ipv6Text(address: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, i) => address.readUInt16BE(2 * i).toString(16));
  return groups.join(':');
}

function pathText(block: Buffer, start: number): AddressText {
  const path = block.toString('latin1', start, start + 108);
  const end = path.indexOf('\0');
  return `unix:${end < 0 ? path : path.slice(0, end)}`;
}

/** IPv6 in compressed form (RFC 5952). */
function addressText(address: string, port: number): AddressText {
  if (!isIPv6(address)) return `${address}:${port}`;
  return `[${new SocketAddress({ address, family: 'ipv6' }).address}]:${port}`;
}
