/**
 * Consistent hashing by a table of slots (Maglev, NSDI 2016, section 3.4): every endpoint has its own order of all slots,
 * and they take turns, by weight, in taking the first that is free. Even to a slot; when an endpoint comes or goes, hardly
 * any slots but its own change hands. The same names and weights make the same table in every worker and process.
 */
import { hashText } from '../hash.js';
import { Line } from '../line.js';
import { pickByHash } from '../rehash.js';
import type { Balancer, Field, Strategy } from '../strategy.js';

/** Prime, so that any step visits every slot; the same for every upstream, or all clients would move when it grows. */
export const SLOTS = 65_537;

class ConsistentHash implements Balancer {
  readonly #field: Field;
  readonly #line: Line;
  readonly #table: SlotTable;
  readonly #at = (hash: number) => this.#table.at(hash % SLOTS);

  constructor(field: Field, before?: Balancer) {
    this.#field = field;
    this.#line = new Line(field.names.length);
    const known = before instanceof ConsistentHash ? before.#table : undefined;
    this.#table = known?.isOf(field.names) ? known : new SlotTable(field.names);
  }

  weigh(weights: Float64Array): void {
    this.#line.weigh(weights);
    if (this.#line.length > 0) this.#table.fill(weights);
  }

  pick(hash: number): number {
    return this.#line.length === 0 ? -1 : pickByHash(hash, this.#at, this.#line, this.#field);
  }
}

const NOBODY = -1;

/** Slots and whose they are. Filling takes about 5 ms, whatever the number of endpoints. */
class SlotTable {
  readonly #names: readonly string[];
  /** That it is filled with. */
  readonly #weights: Float64Array;
  readonly #owners = new Int32Array(SLOTS);
  /** Endpoints by name: their order in the file does not matter. */
  readonly #order: readonly number[];
  /** By endpoint: the slot that it likes best, and from each to the next. */
  readonly #first: Int32Array;
  readonly #step: Int32Array;

  constructor(names: readonly string[]) {
    this.#names = names;
    this.#weights = new Float64Array(names.length);
    this.#order = names.map((_, endpoint) => endpoint).sort((a, b) => compare(names[a], names[b]));
    this.#first = Int32Array.from(names, (name) => hashText(name) % SLOTS);
    this.#step = Int32Array.from(names, (name) => 1 + (hashText(`step ${name}`) % (SLOTS - 1)));
  }

  at(slot: number): number {
    return this.#owners[slot] as number;
  }

  isOf(names: readonly string[]): boolean {
    return names.length === this.#names.length && names.every((name, index) => name === this.#names[index]);
  }

  fill(weights: Float64Array): void {
    if (weights.every((weight, endpoint) => weight === this.#weights[endpoint])) return;
    this.#weights.set(weights);
    const agenda = new Agenda(this.#order, weights);
    const likes = this.#first.slice();
    this.#owners.fill(NOBODY);
    for (let taken = 0; taken < SLOTS; taken++) {
      const endpoint = agenda.next();
      likes[endpoint] = this.#take(endpoint, likes[endpoint] as number);
    }
  }

  /** Takes the first free slot from this one on; the one to look at next. */
  #take(endpoint: number, from: number): number {
    const owners = this.#owners;
    const step = this.#step[endpoint] as number;
    let slot = from;
    while (owners[slot] !== NOBODY) {
      slot += step;
      if (slot >= SLOTS) slot -= SLOTS;
    }
    owners[slot] = endpoint;
    return slot;
  }
}

const compare = (a = '', b = ''): number => (a < b ? -1 : Number(a > b));

/**
 * Whose turn it is: in each round the heaviest has one turn, and one of a third of its weight has one in every third
 * round. Who has a turn in a round is listed there, so rounds cost nothing to those that have none.
 */
class Agenda {
  /** By round: the first endpoint of its list, or NOBODY. By endpoint: the next one. */
  readonly #heads = new Int32Array(SLOTS + 1).fill(NOBODY);
  readonly #following: Int32Array;
  /** Rounds from one turn to the next, and the time of the next turn. */
  readonly #every: Float64Array;
  readonly #due: Float64Array;
  #round = 0;

  constructor(order: readonly number[], weights: Float64Array) {
    const heaviest = weights.reduce((most, weight) => Math.max(most, weight), 0);
    this.#following = new Int32Array(weights.length);
    this.#every = weights.map((weight) => heaviest / weight);
    this.#due = this.#every.map((every) => every / 2);
    // Lists are last in, first out.
    for (const endpoint of order.toReversed()) if ((weights[endpoint] as number) > 0) this.#enter(endpoint);
  }

  next(): number {
    while (this.#heads[this.#round] === NOBODY) this.#round += 1;
    const endpoint = this.#heads[this.#round] as number;
    this.#heads[this.#round] = this.#following[endpoint] as number;
    this.#due[endpoint] = (this.#due[endpoint] as number) + (this.#every[endpoint] as number);
    this.#enter(endpoint);
    return endpoint;
  }

  /** The heaviest alone fills all slots within as many rounds: what comes later does not come. */
  #enter(endpoint: number): void {
    const round = Math.floor(this.#due[endpoint] as number);
    if (round > SLOTS) return;
    this.#following[endpoint] = this.#heads[round] as number;
    this.#heads[round] = endpoint;
  }
}

export const consistentHash: Strategy = {
  words:
    'by `hash_key` and `weight`; when an endpoint comes or goes, hardly any clients move but those that it gets or had',
  weighs: true,
  hashes: true,
  create: (field, before) => new ConsistentHash(field, before),
};
