/**
 * Address ranges that a stranger must not reach through this machine: none of the public network, or with a meaning of
 * their own on it. After the IANA registries of special-purpose addresses for IPv4 and IPv6 (RFC 6890, RFC 8190).
 */

import { isIPv4 } from 'node:net';
import { addressNumber, networkPrefix, type Prefix } from '../base/network.js';
import { PrefixMap } from '../base/prefix-map.js';

export interface SpecialRange {
  /** As in "leads to … address". */
  readonly what: string;
  readonly prefix: Prefix;
}

/** Null: public, in a range that is not. Of ranges within each other the smallest counts. */
const ranges: readonly (readonly [network: string, what: string | null])[] = [
  ['0.0.0.0/8', 'an unspecified'],
  ['10.0.0.0/8', 'a private'],
  ['100.64.0.0/10', 'a shared (carrier-grade NAT)'],
  ['127.0.0.0/8', 'a loopback'],
  ['169.254.0.0/16', 'a link-local'],
  ['172.16.0.0/12', 'a private'],
  ['192.0.0.0/24', 'a reserved'],
  ['192.0.2.0/24', 'a documentation'],
  ['192.88.99.0/24', 'a reserved'],
  ['192.168.0.0/16', 'a private'],
  ['198.18.0.0/15', 'a benchmarking'],
  ['198.51.100.0/24', 'a documentation'],
  ['203.0.113.0/24', 'a documentation'],
  ['224.0.0.0/4', 'a multicast'],
  ['240.0.0.0/4', 'a reserved'],
  ['255.255.255.255/32', 'a broadcast'],

  // All global unicast addresses are in 2000::/3 so far.
  ['::/0', 'a reserved'],
  ['2000::/3', null],
  ['::/96', 'an IPv4-compatible'],
  ['::/128', 'an unspecified'],
  ['::1/128', 'a loopback'],
  // NAT64 with the well-known prefix (RFC 6052): as the IPv4 address within it. The other one is for local use (RFC 8215).
  ['64:ff9b::/96', null],
  ['64:ff9b:1::/48', 'a NAT64'],
  ['100::/64', 'a discard-only'],
  ['2001::/23', 'a reserved'],
  // Teredo (RFC 4380) and 6to4 (RFC 3056): as the IPv4 addresses within.
  ['2001::/32', null],
  ['2001:2::/48', 'a benchmarking'],
  ['2001:3::/32', null],
  ['2001:4:112::/48', null],
  ['2001:db8::/32', 'a documentation'],
  ['3fff::/20', 'a documentation'],
  ['fc00::/7', 'a private'],
  ['fe80::/10', 'a link-local'],
  ['fec0::/10', 'a site-local'],
  ['ff00::/8', 'a multicast'],
];

/** Where clouds hand out credentials and settings to the machine that asks, whatever range they are in. */
const metadata: readonly string[] = [
  '169.254.169.254', // most clouds
  '169.254.170.2', // Amazon ECS
  '169.254.170.23', // Amazon EKS
  '169.254.0.23', // Tencent
  '100.100.100.200', // Alibaba
  '168.63.129.16', // Azure
  '192.0.0.192', // Oracle
  'fd00:ec2::254',
  'fd00:ec2::23',
  'fd20:ce::254', // Google
  'fe80::a9fe:a9fe', // OpenStack
];

const special = new PrefixMap<SpecialRange | { readonly what: null; readonly prefix: Prefix }>();
for (const [network, what] of ranges)
  special.at(network, () => ({ what, prefix: networkPrefix(network) }) as SpecialRange);
for (const address of metadata)
  special.at(address, () => ({ what: 'a metadata', prefix: networkPrefix(address) }));

/** The smallest special range that holds the address, in canonical form; null: it is public. */
export function specialRangeOf(address: string): SpecialRange | null {
  const [smallest] = special.holding(address).sort((one, other) => other.prefix.bits - one.prefix.bits);
  return smallest === undefined || smallest.what === null ? null : smallest;
}

/** Bits to the right of an IPv4 address within an IPv6 address, and whether it is stored inverted. */
interface Embedding {
  readonly prefix: Prefix;
  readonly at: readonly { readonly shift: bigint; readonly inverted?: boolean }[];
}

const embeddings: readonly Embedding[] = [
  { prefix: networkPrefix('::/96'), at: [{ shift: 0n }] },
  // IPv4-translated (RFC 2765).
  { prefix: networkPrefix('::ffff:0:0:0/96'), at: [{ shift: 0n }] },
  { prefix: networkPrefix('64:ff9b::/96'), at: [{ shift: 0n }] },
  { prefix: networkPrefix('64:ff9b:1::/48'), at: [{ shift: 0n }] },
  { prefix: networkPrefix('2002::/16'), at: [{ shift: 80n }] },
  // The server's, and the client's behind it.
  { prefix: networkPrefix('2001::/32'), at: [{ shift: 64n }, { shift: 0n, inverted: true }] },
];

const LOOPBACK = 1n;

/** IPv4 addresses that packets to this address may be for, by a translator or tunnel on the way. */
export function embeddedIpv4(address: string): string[] {
  if (isIPv4(address)) return [];
  const number = addressNumber(address, 'ipv6');
  // `::` and `::1` have the form of IPv4-compatible addresses, and are none (RFC 4291 section 2.5.5.1).
  if (number <= LOOPBACK) return [];
  return embeddings
    .filter(({ prefix }) => number >> prefix.rest === prefix.value)
    .flatMap(({ at }) => at.map(({ shift, inverted = false }) => ipv4At(number, shift, inverted)));
}

function ipv4At(number: bigint, shift: bigint, inverted: boolean): string {
  const bits = Number((number >> shift) & 0xffff_ffffn);
  const octets = Buffer.alloc(4);
  octets.writeUInt32BE(inverted ? ~bits >>> 0 : bits);
  return octets.join('.');
}
