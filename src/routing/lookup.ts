/**
 * Index of routes by names (facts) and client address, so that routing time does not grow with the number of routes. It
 * returns candidates, whose tests still run; every route left out would have answered no.
 */
import { plainName } from '../base/host-pattern.js';
import { getOrMake, PrefixMap } from '../base/prefix-map.js';
import type { Facts } from '../model/facts.js';
import type { FactKey, Key, RouteSession } from './condition.js';
import { requestPath } from './request-path.js';

/** An indexed item; `order` is its position among all items. */
export interface Keyed {
  readonly order: number;
  readonly keys: readonly Key[];
}

const factKeysOf = ({ keys }: Keyed): FactKey[] => keys.filter((key) => key.kind === 'fact');

/** Index by client address; items without networks are kept aside. */
class BySource<Item extends Keyed> {
  readonly #anywhere: Item[] = [];
  #networks: PrefixMap<Item[]> | undefined;

  add(item: Item): void {
    const key = item.keys.find(({ kind }) => kind === 'source');
    if (key?.kind !== 'source') {
      this.#anywhere.push(item);
      return;
    }
    this.#networks ??= new PrefixMap();
    for (const network of key.networks) this.#networks.at(network, () => []).push(item);
  }

  get anywhere(): readonly Item[] {
    return this.#anywhere;
  }

  get namesNetworks(): boolean {
    return this.#networks !== undefined;
  }

  find(session: RouteSession, found: (readonly Item[])[]): void {
    if (this.#anywhere.length > 0) found.push(this.#anywhere);
    // Reading `source` formats the address: only on demand.
    if (this.#networks) found.push(...this.#networks.holding(session.source));
  }
}

/** Index by the value of one fact. */
class ByFact<Item extends Keyed> {
  readonly #fact: string;
  readonly #also: readonly string[];
  readonly #form: FactKey['form'];
  readonly #exact = new Map<string, BySource<Item>>();
  /** Keys are suffixes (`.example.com`), of paths prefixes (`/api/`). */
  readonly #below = new Map<string, BySource<Item>>();
  /** All items, for sessions whose fact is missing so far, broken or doubtful. */
  readonly #all = new BySource<Item>();

  constructor({ fact, also = [], form }: FactKey) {
    this.#fact = fact;
    this.#also = also;
    this.#form = form;
  }

  add(item: Item, { names }: FactKey): void {
    this.#all.add(item);
    for (const { name, below } of names) {
      const map = below ? this.#below : this.#exact;
      getOrMake(map, below ? this.#start(name) : name, () => new BySource<Item>()).add(item);
    }
  }

  find(session: RouteSession, found: (readonly Item[])[]): void {
    const known = session.facts;
    const isOpen = known[this.#fact] === undefined && !session.factsComplete;
    if (isOpen || session.broken || session.doubtful.includes(this.#fact)) {
      this.#all.find(session, found);
      return;
    }
    this.#findValue(known[this.#fact], session, found);
    for (const fact of this.#also) {
      if (known[fact] !== known[this.#fact]) this.#findValue(known[fact], session, found);
    }
  }

  #findValue(value: Facts[string], session: RouteSession, found: (readonly Item[])[]): void {
    if (typeof value === 'string') {
      if (this.#form === 'path') this.#findPath(value, session, found);
      else this.#findName(plainName(value), session, found);
    } else if (typeof value === 'object') {
      for (const name of value) this.#findName(plainName(name), session, found);
    }
  }

  #findName(name: string, session: RouteSession, found: (readonly Item[])[]): void {
    this.#exact.get(name)?.find(session, found);
    if (this.#below.size === 0) return;
    for (let dot = name.indexOf('.', 1); dot > 0; dot = name.indexOf('.', dot + 1)) {
      this.#below.get(name.slice(dot))?.find(session, found);
    }
  }

  /** By the lenient reading, which matches whatever the other one does. */
  #findPath(target: string, session: RouteSession, found: (readonly Item[])[]): void {
    const read = requestPath(target);
    if (read === 'none') return;
    if (read === 'doubtful') {
      this.#all.find(session, found);
      return;
    }
    const { meant } = read;
    this.#exact.get(meant)?.find(session, found);
    if (this.#below.size === 0) return;
    for (let slash = 0; slash >= 0; slash = meant.indexOf('/', slash + 1)) {
      this.#below.get(meant.slice(0, slash + 1))?.find(session, found);
    }
  }

  #start(name: string): string {
    return this.#form === 'path' ? `${name}/` : `.${name}`;
  }
}

export class Lookup<Item extends Keyed> {
  readonly #byFact = new Map<string, ByFact<Item>>();
  readonly #rest = new BySource<Item>();
  /** The result for every session if no item has a key; else null. */
  readonly #same: readonly (readonly Item[])[] | null;

  /** `items`: sorted by `order`. */
  constructor(items: readonly Item[]) {
    const uses = countUses(items);
    for (const item of items) {
      const key = rarest(factKeysOf(item), uses);
      if (key === undefined) this.#rest.add(item);
      else getOrMake(this.#byFact, key.fact, () => new ByFact<Item>(key)).add(item, key);
    }
    const varies = this.#byFact.size > 0 || this.#rest.namesNetworks;
    this.#same = varies ? null : [this.#rest.anywhere];
  }

  /** Sorted lists that together contain every item that can hold for the session. */
  find(session: RouteSession): readonly (readonly Item[])[] {
    if (this.#same !== null) return this.#same;
    const found: (readonly Item[])[] = [];
    this.#rest.find(session, found);
    for (const byFact of this.#byFact.values()) byFact.find(session, found);
    return found;
  }
}

// ---- choice of the key

const useOf = (fact: string, { name, below }: FactKey['names'][number]): string =>
  `${fact} ${below ? '*.' : ''}${name}`;

function countUses(items: readonly Keyed[]): Map<string, number> {
  const uses = new Map<string, number>();
  for (const { fact, names } of items.flatMap(factKeysOf)) {
    for (const name of names) uses.set(useOf(fact, name), (uses.get(useOf(fact, name)) ?? 0) + 1);
  }
  return uses;
}

/** Selective key: a route with `sni` and `alpn` is indexed by the one that fewer routes share. */
function rarest(keys: readonly FactKey[], uses: ReadonlyMap<string, number>): FactKey | undefined {
  const most = ({ fact, names }: FactKey) =>
    names.reduce((max, name) => Math.max(max, uses.get(useOf(fact, name)) ?? 0), 0);
  return keys.reduce<FactKey | undefined>(
    (best, key) => (best === undefined || most(key) < most(best) ? key : best),
    undefined,
  );
}
