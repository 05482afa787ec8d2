/** Values by network: which of them hold an address, without asking each. */
import { isIP } from 'node:net';
import { parseNetworks } from './network.js';

/** Every address is one of IPv6 here: IPv4 lies in ::ffff:0:0/96. */
const ADDRESS_BITS = 128;
const IPV4_BITS = 32;
const MAPPED = 0xffffn << BigInt(IPV4_BITS);

export class PrefixMap<Value> {
  /** By the bits of a prefix that do not count; then by those that do. */
  readonly #byShift = new Map<bigint, Map<bigint, Value>>();

  /** The value of exactly this network, made when there is none. `text` is a network. */
  at(text: string, make: () => Value): Value {
    const [network] = parseNetworks([text]);
    const address = network && addressNumber(network.address);
    if (network === undefined || address === null || address === undefined)
      throw new Error(`${text} is no network`);
    const bits = network.family === 'ipv4' ? network.bits + ADDRESS_BITS - IPV4_BITS : network.bits;
    const shift = BigInt(ADDRESS_BITS - bits);
    const prefixes = getOrMake(this.#byShift, shift, () => new Map<bigint, Value>());
    return getOrMake(prefixes, address >> shift, make);
  }

  /** The values of all networks that hold the address; none for what is no address. */
  holding(address: string): Value[] {
    const number = addressNumber(address);
    if (number === null) return [];
    const found: Value[] = [];
    for (const [shift, prefixes] of this.#byShift) {
      const value = prefixes.get(number >> shift);
      if (value !== undefined) found.push(value);
    }
    return found;
  }
}

export function getOrMake<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}

/** Null for what is no address literal. */
function addressNumber(text: string): bigint | null {
  const version = isIP(text);
  if (version === 4) return MAPPED | BigInt(ipv4Number(text));
  return version === 6 ? ipv6Number(text.split('%', 1)[0] ?? '') : null;
}

const ipv4Number = (text: string): number =>
  text.split('.').reduce((number, part) => number * 256 + Number(part), 0);

/** RFC 4291 section 2.2: groups, of which `::` leaves out the zeros, and perhaps an IPv4 address at the end. */
function ipv6Number(text: string): bigint {
  const [head = '', tail] = text.split('::');
  const [first, last] = [groupsOf(head), groupsOf(tail ?? '')];
  const zeros = tail === undefined ? 0 : 8 - first.length - last.length;
  const groups = [...first, ...Array<number>(Math.max(zeros, 0)).fill(0), ...last];
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
