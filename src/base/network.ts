/** Networks: addresses and CIDR prefixes. */
import { BlockList, isIP, isIPv4, isIPv6, SocketAddress } from 'node:net';

export interface Network {
  readonly address: string;
  readonly bits: number;
  readonly family: 'ipv4' | 'ipv6';
}

/** Address length in bits. */
export const addressBits = { ipv4: 32, ipv6: 128 } as const;

/** Entry in a list of trusted peers, beside networks: every client of the Unix socket is trusted. */
export const UNIX_PEERS = 'unix';

/**
 * Start of an IPv4-mapped address (RFC 4291 section 2.5.5.2) in any spelling; the canonical form rules out the rest.
 */
const MAPPED = /^[0:]+:ffff:/i;
const MAPPED_BITS = 96;

/** Converts an IPv4-mapped IPv6 address to IPv4; returns any other text unchanged. */
export function plainAddress(address: string): string {
  if (!MAPPED.test(address) || !isIPv6(address)) return address;
  const inner = canonical(address).slice('::ffff:'.length);
  return isIPv4(inner) ? inner : address;
}

const canonical = (address: string): string => new SocketAddress({ address, family: 'ipv6' }).address;

/** `10.0.0.0/8`, `2001:db8::/32`, or a single address; null when the text is none of them. */
function parseNetwork(text: string): Network | null {
  const [address = '', bitsText, ...rest] = text.split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0 || address.includes('%')) return null;
  const bitsMax = version === 4 ? 32 : 128;
  const bits = bitsText === undefined ? bitsMax : Number(bitsText);
  if (bitsText !== undefined && !/^\d{1,3}$/.test(bitsText)) return null;
  if (bits > bitsMax) return null;
  const plain = plainAddress(address);
  if (plain !== address && bits >= MAPPED_BITS) {
    return { address: plain, bits: bits - MAPPED_BITS, family: 'ipv4' };
  }
  return { address, bits, family: version === 4 ? 'ipv4' : 'ipv6' };
}

export function isNetwork(text: string): boolean {
  return parseNetwork(text) !== null;
}

/** Explains why a text is not a network; null when no specific reason is known. */
export function networkFault(text: string): string | null {
  const [address = '', bits] = text.split('/');
  const version = isIP(address);
  if (version === 0 || bits === undefined) return null;
  const bitsMax = version === 4 ? 32 : 128;
  return Number(bits) > bitsMax
    ? `\`/${bits}\` is longer than the ${bitsMax} bits of an IPv${version} address`
    : null;
}

/** Texts that are not networks are skipped. */
export function parseNetworks(texts: readonly string[]): Network[] {
  return texts.flatMap((text) => parseNetwork(text) ?? []);
}

/**
 * Returns a test whether an address literal is in one of the networks. IPv4 and IPv6 are separate: `::/0` has no
 * IPv4.
 */
export function createNetworkSet(networks: readonly string[]): (address: string) => boolean {
  // One BlockList per family: a shared one would match every IPv4 address against ::/0.
  const lists = { ipv4: new BlockList(), ipv6: new BlockList() };
  for (const { address, bits, family } of parseNetworks(networks)) {
    lists[family].addSubnet(address, bits, family);
  }
  return (address) => {
    const plain = plainAddress(address);
    const version = isIP(plain);
    if (version === 0) return false;
    return version === 4 ? lists.ipv4.check(plain, 'ipv4') : lists.ipv6.check(plain, 'ipv6');
  };
}

export const isLoopback = createNetworkSet(['127.0.0.0/8', '::1']);

export interface Prefix {
  readonly family: Network['family'];
  /** Number of bits that count. */
  readonly bits: number;
  /** Bits behind those. */
  readonly rest: bigint;
  /** Those that count. */
  readonly value: bigint;
}

/** A network prepared for comparison: reading it takes longer than comparing. Throws when `text` is none. */
export function networkPrefix(text: string): Prefix {
  const network = parseNetwork(text);
  if (network === null) throw new Error(`${text} is no network`);
  const { address, bits, family } = network;
  const rest = BigInt(addressBits[family] - bits);
  return { family, bits, rest, value: addressNumber(address, family) >> rest };
}

/** Whether `inner` is inside of `outer` or the same. */
export const holdsNetwork = (outer: Prefix, inner: Prefix): boolean =>
  outer.family === inner.family &&
  outer.bits <= inner.bits &&
  inner.value >> (outer.rest - inner.rest) === outer.value;

/** The network with its host bits cleared (`10.1.2.3/8` → `10.0.0.0/8`); null when none were set. */
export function withoutHostBits(text: string): string | null {
  const network = parseNetwork(text);
  if (network === null) return null;
  const { address, bits, family } = network;
  const rest = BigInt(addressBits[family] - bits);
  const value = addressNumber(address, family);
  const masked = (value >> rest) << rest;
  if (masked === value) return null;
  return `${family === 'ipv4' ? ipv4Text(masked) : ipv6Text(masked)}/${bits}`;
}

/** In network order, 4 or 16 bytes. */
export function addressBytes(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number));
  const bytes = Buffer.alloc(16);
  const number = ipv6Number(address);
  bytes.writeBigUInt64BE(number >> 64n, 0);
  bytes.writeBigUInt64BE(number & 0xffff_ffff_ffff_ffffn, 8);
  return bytes;
}

export const addressNumber = (address: string, family: Network['family']): bigint =>
  family === 'ipv4' ? BigInt(ipv4Number(address)) : ipv6Number(address);

const HOST_BITS = 64n;

/** What counts as one source: an IPv4 address, or the /64 of an IPv6 one. The clients of Unix sockets, whose address is empty, are one. */
export function sourceKey(address: string): string {
  const plain = plainAddress(address);
  return isIPv6(plain) ? `${(addressNumber(plain, 'ipv6') >> HOST_BITS).toString(16)}::/64` : plain;
}

const ipv4Number = (text: string): number =>
  text.split('.').reduce((number, part) => number * 256 + Number(part), 0);

/** RFC 4291 section 2.2: groups, `::` for a run of zero groups, optionally an IPv4 address at the end. */
function ipv6Number(address: string): bigint {
  const [head = '', tail] = (address.split('%', 1)[0] ?? '').split('::');
  const [first, last] = [groupsOf(head), groupsOf(tail ?? '')];
  const zeros = tail === undefined ? 0 : 8 - first.length - last.length;
  const groups = [...first, ...Array<number>(zeros).fill(0), ...last];
  return groups.reduce((number, group) => (number << 16n) | BigInt(group), 0n);
}

function groupsOf(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (!group.includes('.')) return [Number.parseInt(group, 16)];
    const number = ipv4Number(group);
    return [Math.floor(number / 0x1_0000), number % 0x1_0000];
  });
}

const ipv4Text = (bits: bigint): string =>
  [24n, 16n, 8n, 0n].map((shift) => String((bits >> shift) & 0xffn)).join('.');

export const ipv6Text = (bits: bigint): string =>
  canonical(
    Array.from({ length: 8 }, (_, index) => ((bits >> BigInt(112 - 16 * index)) & 0xffffn).toString(16)).join(
      ':',
    ),
  );
