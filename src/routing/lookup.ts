/**
 * Finds the routes that a session may take by its names and its address, so that the time it takes does not grow
 * with their number. What it finds is asked all the same; what it leaves out would have said no.
 */
import { getOrMake, PrefixMap } from '../base/prefix-map.js';
import type { Facts } from '../model/facts.js';
import type { FactKey, Key, RouteSession } from './condition.js';
import { plainName } from './name-pattern.js';

/** What is kept under keys; `order` is its place among all. */
export interface Keyed {
  readonly order: number;
  readonly keys: readonly Key[];
}

const factKeysOf = ({ keys }: Keyed): FactKey[] => keys.filter((key) => key.kind === 'fact');

/** By the client's address: those that name networks, and those that do not. */
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
    // The address is a text that has to be made: only where it is asked for.
    if (this.#networks) found.push(...this.#networks.holding(session.source));
  }
}

/** By the value of one fact. */
class ByFact<Item extends Keyed> {
  readonly #fact: string;
  readonly #also: readonly string[];
  readonly #exact = new Map<string, BySource<Item>>();
  /** By `.example.com`. */
  readonly #below = new Map<string, BySource<Item>>();
  /** For sessions whose fact is not known, or not for certain. */
  readonly #all = new BySource<Item>();

  constructor({ fact, also = [] }: FactKey) {
    this.#fact = fact;
    this.#also = also;
  }

  add(item: Item, { names }: FactKey): void {
    this.#all.add(item);
    for (const { name, below } of names) {
      const map = below ? this.#below : this.#exact;
      getOrMake(map, below ? `.${name}` : name, () => new BySource<Item>()).add(item);
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
    if (typeof value === 'string') this.#findName(plainName(value), session, found);
    else if (typeof value === 'object') {
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
}

export class Lookup<Item extends Keyed> {
  readonly #byFact = new Map<string, ByFact<Item>>();
  readonly #rest = new BySource<Item>();
  /** What every session finds; null where it is looked for by names or addresses. */
  readonly #same: readonly (readonly Item[])[] | null;

  /** `items` in their order. */
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

  /** Lists, each in order, that have between them every item that may hold for the session. */
  find(session: RouteSession): readonly (readonly Item[])[] {
    if (this.#same !== null) return this.#same;
    const found: (readonly Item[])[] = [];
    this.#rest.find(session, found);
    for (const byFact of this.#byFact.values()) byFact.find(session, found);
    return found;
  }
}

// ---- which key of several

const useOf = (fact: string, { name, below }: FactKey['names'][number]): string =>
  `${fact} ${below ? '*.' : ''}${name}`;

function countUses(items: readonly Keyed[]): Map<string, number> {
  const uses = new Map<string, number>();
  for (const { fact, names } of items.flatMap(factKeysOf)) {
    for (const name of names) uses.set(useOf(fact, name), (uses.get(useOf(fact, name)) ?? 0) + 1);
  }
  return uses;
}

/** A route with `sni` and `alpn` is found by the one that fewer routes ask for. */
function rarest(keys: readonly FactKey[], uses: ReadonlyMap<string, number>): FactKey | undefined {
  const most = ({ fact, names }: FactKey) =>
    names.reduce((max, name) => Math.max(max, uses.get(useOf(fact, name)) ?? 0), 0);
  return keys.reduce<FactKey | undefined>(
    (best, key) => (best === undefined || most(key) < most(best) ? key : best),
    undefined,
  );
}
