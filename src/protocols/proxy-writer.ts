/**
 * Writes the PROXY header that tells an endpoint whose session it gets (sections 2.1 and 2.2 of the specification;
 * proxy-header.ts reads it).
 */
import { addressBytes, plainAddress } from '../base/network.js';
import type { SocketAddress } from '../model/address.js';
import type { Transport } from '../model/protocol.js';
import type { ProxyProtocolOptions, ProxyTlv } from '../model/upstream-options.js';
import { crc32c } from './crc32c.js';

/** The two ends of the client's connection. */
export interface Ends {
  readonly source: SocketAddress;
  readonly destination: SocketAddress;
}

/** What the TLVs may say; an empty one is left out. */
export type Told = Readonly<Partial<Record<Exclude<ProxyTlv, 'crc32c'>, string>>>;

const signature = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');
const commands = { local: 0x20, proxied: 0x21 } as const;
/** The high half of a byte of which the type is the low one. */
const families = { ipv4: 0x10, ipv6: 0x20, unix: 0x30 } as const;
const typeOf = { tcp: 0x01, udp: 0x02 } as const satisfies Record<Transport, number>;
const unspecified = 0x00;
const types = { alpn: 0x01, authority: 0x02, crc32c: 0x03, unique_id: 0x05 } as const;
/** Path of an AF_UNIX address. */
const pathBytes = 108;
/** The specification's limit is 128 for a unique id; a name of a host or of a protocol has at most 255. */
const tlvBytesMax = 255;

/**
 * Of a session, or of each datagram of a flow (`transport`: what the client speaks), which is of version 2 always. An
 * address that the version can not express is UNKNOWN in version 1.
 */
export function proxyHeader(
  { version, tlvs }: ProxyProtocolOptions,
  ends: Ends,
  told: Told,
  transport: Transport,
): Buffer {
  const inet = inetOf(ends);
  if (version === 'v1' && transport === 'tcp') return lineOf(inet);
  const [family, block] = inet === null ? (['unix', unixBlock(ends)] as const) : inetBlock(inet);
  return binaryOf(commands.proxied, families[family] | typeOf[transport], block, tlvs, told);
}

/** Whether the header says what a session's opening says. */
export const saysFacts = ({ tlvs }: ProxyProtocolOptions): boolean =>
  tlvs.some((name) => name === 'alpn' || name === 'authority');

/** Of a connection of our own, such as a health check: its addresses are the real ones. */
export const ownProxyHeader = ({ version }: Pick<ProxyProtocolOptions, 'version'>): Buffer =>
  version === 'v1' ? lineOf(null) : binaryOf(commands.local, unspecified, Buffer.alloc(0), [], {});

// ---- addresses

interface Inet {
  readonly family: 'ipv4' | 'ipv6';
  readonly source: { readonly host: string; readonly port: number };
  readonly destination: { readonly host: string; readonly port: number };
}

/** Of one family: where one end has an IPv4 address only, it is IPv4-mapped. Null: no IP addresses. */
function inetOf({ source, destination }: Ends): Inet | null {
  if ('path' in source || 'path' in destination) return null;
  const hosts = [source, destination].map(({ host }) => plainAddress(host).replace(/%.*$/, ''));
  const family = hosts.some((host) => host.includes(':')) ? 'ipv6' : 'ipv4';
  const [from = '', to = ''] = hosts.map((host) =>
    family === 'ipv6' && !host.includes(':') ? `::ffff:${host}` : host,
  );
  return { family, source: { ...source, host: from }, destination: { ...destination, host: to } };
}

function lineOf(inet: Inet | null): Buffer {
  if (inet === null) return Buffer.from('PROXY UNKNOWN\r\n');
  const { family, source, destination } = inet;
  const words = [
    ...['PROXY', family === 'ipv4' ? 'TCP4' : 'TCP6', source.host, destination.host],
    ...[source.port, destination.port],
  ];
  return Buffer.from(`${words.join(' ')}\r\n`);
}

function inetBlock({ family, source, destination }: Inet): readonly [Inet['family'], Buffer] {
  const ports = Buffer.alloc(4);
  ports.writeUInt16BE(source.port, 0);
  ports.writeUInt16BE(destination.port, 2);
  return [family, Buffer.concat([addressBytes(source.host), addressBytes(destination.host), ports])];
}

/** A client of a Unix socket has no name as a rule: zeros. */
function unixBlock({ source, destination }: Ends): Buffer {
  const block = Buffer.alloc(2 * pathBytes);
  for (const [index, end] of [source, destination].entries()) {
    if ('path' in end) block.write(end.path.replace(/^@/, '\0'), index * pathBytes, pathBytes);
  }
  return block;
}

// ---- version 2

function binaryOf(
  command: number,
  family: number,
  block: Buffer,
  tlvs: readonly ProxyTlv[],
  told: Told,
): Buffer {
  const values = tlvs.flatMap((name) => {
    const value = name === 'crc32c' ? Buffer.alloc(4) : Buffer.from(told[name] ?? '');
    return value.length === 0 || value.length > tlvBytesMax ? [] : [tlvOf(types[name], value)];
  });
  const behind = Buffer.concat([block, ...values]);
  const head = Buffer.from([command, family, behind.length >> 8, behind.length & 0xff]);
  const header = Buffer.concat([signature, head, behind]);
  // Section 2.2.3: of the whole header, with zeros in the place of the checksum.
  const at = checksumAt(header, header.length - behind.length + block.length);
  if (at >= 0) header.writeUInt32BE(crc32c(header), at);
  return header;
}

function tlvOf(type: number, value: Buffer): Buffer {
  return Buffer.concat([Buffer.from([type, value.length >> 8, value.length & 0xff]), value]);
}

/** Offset of the checksum's value; -1: there is none. */
function checksumAt(header: Buffer, start: number): number {
  for (let at = start; at < header.length; at += 3 + header.readUInt16BE(at + 1))
    if (header[at] === types.crc32c) return at + 3;
  return -1;
}
