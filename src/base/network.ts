/** Sets of networks, written as addresses and CIDR prefixes. */
import { BlockList, isIP } from 'node:net';

export interface Network {
  readonly address: string;
  readonly bits: number;
  readonly family: 'ipv4' | 'ipv6';
}

/** Beside networks in a list of trusted peers: whoever may open our unix socket. */
export const UNIX_PEERS = 'unix';

/** `10.0.0.0/8`, `2001:db8::/32`, or a single address; null when the text is none of them. */
function parseNetwork(text: string): Network | null {
  const [address = '', bitsText, ...rest] = text.split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0 || address.includes('%')) return null;
  const bitsMax = version === 4 ? 32 : 128;
  const bits = bitsText === undefined ? bitsMax : Number(bitsText);
  if (bitsText !== undefined && !/^\d{1,3}$/.test(bitsText)) return null;
  return bits <= bitsMax ? { address, bits, family: version === 4 ? 'ipv4' : 'ipv6' } : null;
}

export function isNetwork(text: string): boolean {
  return parseNetwork(text) !== null;
}

/** Those that are networks. */
export function parseNetworks(texts: readonly string[]): Network[] {
  return texts.flatMap((text) => parseNetwork(text) ?? []);
}

/** Says whether an address literal lies in one of the networks; IPv4-mapped IPv6 counts as IPv4. */
export function createNetworkSet(networks: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const { address, bits, family } of parseNetworks(networks)) list.addSubnet(address, bits, family);
  return (address) => {
    const version = isIP(address);
    return version !== 0 && list.check(address, version === 4 ? 'ipv4' : 'ipv6');
  };
}
