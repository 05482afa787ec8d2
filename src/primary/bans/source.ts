/** Sources as they are banned: an IPv4 address, or the /64 of an IPv6 one; how they are written and compared. Pure. */
import { isIPv4, isIPv6 } from 'node:net';
import { addressBits, addressNumber, ipv6Text, plainAddress } from '../../base/network.js';

/** Bits of an IPv6 source: a host has a /64 and can take any address in it. */
const SOURCE_BITS = 64;

export interface BanSource {
  /** For the engine: an address. */
  readonly address: string;
  /** As it is shown; the same for every address of a source. */
  readonly shown: string;
}

/** `192.0.2.7`, `2001:db8::7`, `2001:db8::/64`, `::ffff:192.0.2.7`; null: none of these. */
export function banSource(text: string): BanSource | null {
  const [written = '', bits, ...rest] = text.split('/');
  if (rest.length > 0 || written.includes('%')) return null;
  const address = plainAddress(written);
  if (isIPv4(address)) return bits === undefined || bits === '32' ? { address, shown: address } : null;
  if (!isIPv6(address) || !(bits === undefined || bits === '128' || bits === String(SOURCE_BITS)))
    return null;
  return { address, shown: shownSource(address) };
}

/** `address`: of a source; of IPv6 any in its /64, however it is written. */
export function shownSource(address: string): string {
  if (isIPv4(address)) return address;
  const hostBits = BigInt(addressBits.ipv6 - SOURCE_BITS);
  return `${ipv6Text((addressNumber(address, 'ipv6') >> hostBits) << hostBits)}/${SOURCE_BITS}`;
}

/** The same of an address as the engine gives it, without bits of a host: there may be many. */
export const shownOfEngine = (address: string): string =>
  address.includes(':') ? `${address}/${SOURCE_BITS}` : address;

/** The other way round. */
export const addressOfShown = (shown: string): string => shown.split('/')[0] ?? shown;
