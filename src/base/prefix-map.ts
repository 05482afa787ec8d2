/** Values by network: which of them hold an address, without asking each. */
import { isIP } from 'node:net';
import { addressBits, addressNumber, parseNetworks, plainAddress } from './network.js';

/** Values by prefix; those by how many bits of an address do not count. */
type Prefixes<Value> = Map<bigint, Map<bigint, Value>>;

export class PrefixMap<Value> {
  readonly #families = { ipv4: new Map() as Prefixes<Value>, ipv6: new Map() as Prefixes<Value> };

  /** The value of exactly this network, made when there is none. `text` is a network. */
  at(text: string, make: () => Value): Value {
    const [network] = parseNetworks([text]);
    if (network === undefined) throw new Error(`${text} is no network`);
    const { address, bits, family } = network;
    const shift = BigInt(addressBits[family] - bits);
    const prefixes = getOrMake(this.#families[family], shift, () => new Map<bigint, Value>());
    return getOrMake(prefixes, addressNumber(address, family) >> shift, make);
  }

  /** The values of all networks that hold the address; none for what is no address. */
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
