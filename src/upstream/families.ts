/** The order in which the addresses of an endpoint are tried. */
import { isIPv6 } from 'node:net';
import type { SocketAddress } from '../model/address.js';

const isOfSix = (address: SocketAddress): boolean => 'host' in address && isIPv6(address.host);

/** RFC 8305 section 4: the families take turns, that of the first address first; each keeps its order. */
export function interleaved<Address extends SocketAddress>(
  addresses: readonly Address[],
): readonly Address[] {
  const [first] = addresses;
  if (first === undefined) return addresses;
  const same = addresses.filter((address) => isOfSix(address) === isOfSix(first));
  const other = addresses.filter((address) => isOfSix(address) !== isOfSix(first));
  const pairs = Math.min(same.length, other.length);
  const turns = same.slice(0, pairs).flatMap((address, index) => [address, other[index] as Address]);
  return [...turns, ...same.slice(pairs), ...other.slice(pairs)];
}
