/** A map keyed by network: finds the values of all networks that contain an address without testing each network. */
import { isIP } from 'node:net';
import { addressBits, addressNumber, parseNetworks, plainAddress } from './network.js';

/** Number of host bits → prefix → value. */
type Prefixes<Value> = Map<bigint, Map<bigint, Value>>;

export class PrefixMap<Value> {
  readonly #families = { ipv4: new Map() as Prefixes<Value>, ipv6: new Map() as Prefixes<Value> };

  /** The value of exactly this network, created on first use. Throws when `text` is not a network. */
  at(text: string, make: () => Value): Value {
    const [network] = parseNetworks([text]);
    if (network === undefined) throw new Error(`${text} is no network`);
    const { address, bits, family } = network;
    const shift = BigInt(addressBits[family] - bits);
    const prefixes = getOrMake(this.#families[family], shift, () => new Map<bigint, Value>());
    return getOrMake(prefixes, addressNumber(address, family) >> shift, make);
  }

  /** The values of all networks that contain the address; empty when it is not an address. */
  holding(address: string): Value[] {
    const plain = plainAddress(address);
    const version = isIP(plain);
    if (version === 0) return [];
    const family = version === 4 ? 'ipv4' : 'ipv6';
    const number = addressNumber(plain, family);
    const found: Value[] = [];
    for (const [shift, prefixes] of this.#families[family]) {
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
