/**
 * The endpoint with the fewest sessions for its weight: the winner of a tournament. Loads change without a message, in
 * every worker; so a pick reads some of them anew, in turn, and always those of the winner.
 */
import type { Balancer, Field, Strategy } from '../strategy.js';

/**
 * Loads that a pick reads. Up to so many endpoints it is exact; among n, an endpoint that has lost sessions is known to
 * have after n / LOADS_READ picks. One that has gained some never wins by what it had.
 */
export const LOADS_READ = 16;

/** Winners in a row that may turn out to have more sessions than was known. */
const SURPRISES_MAX = 64;

class LeastConnections implements Balancer {
  readonly #field: Field;
  /** Leaves are endpoints, from `#leaves` on; the winner of all is at 1. */
  readonly #winners: Int32Array;
  readonly #leaves: number;
  /** By endpoint: sessions for its weight, as known; Infinity: out of the tournament. */
  readonly #loads: Float64Array;
  /** By endpoint: 1 / weight; 0: it has none. */
  readonly #shares: Float64Array;
  /** By endpoint: number of the last pick of it. Among equals the one that has waited longest wins. */
  readonly #picks: Float64Array;
  #pick = 0;
  /** Endpoints with a weight, and the one of them whose load is read next. */
  readonly #listed: Int32Array;
  #count = 0;
  #next = 0;
  readonly #passedOver: number[] = [];

  constructor(field: Field, before?: Balancer) {
    const { length } = field.names;
    this.#field = field;
    this.#leaves = 2 ** Math.ceil(Math.log2(Math.max(length, 1)));
    this.#winners = new Int32Array(2 * this.#leaves);
    this.#loads = new Float64Array(this.#leaves).fill(Number.POSITIVE_INFINITY);
    this.#shares = new Float64Array(this.#leaves);
    this.#picks = new Float64Array(this.#leaves);
    this.#listed = new Int32Array(length);
    if (before instanceof LeastConnections) this.#goOn(before);
    else this.#beginAnywhere();
  }

  weigh(weights: Float64Array): void {
    this.#count = 0;
    this.#next = 0;
    for (let endpoint = 0; endpoint < weights.length; endpoint++) {
      const weight = weights[endpoint] as number;
      if (weight > 0) this.#listed[this.#count++] = endpoint;
      this.#shares[endpoint] = weight > 0 ? 1 / weight : 0;
      this.#loads[endpoint] = weight > 0 ? this.#loadOf(endpoint) : Number.POSITIVE_INFINITY;
    }
    const winners = this.#winners;
    for (let endpoint = 0; endpoint < this.#leaves; endpoint++) winners[this.#leaves + endpoint] = endpoint;
    for (let at = this.#leaves - 1; at >= 1; at--) winners[at] = this.#better(2 * at);
  }

  pick(): number {
    this.#readSome();
    let surprises = 0;
    let picked = -1;
    while (picked < 0) {
      const winner = this.#winners[1] as number;
      if (this.#loads[winner] === Number.POSITIVE_INFINITY) break;
      if (this.#field.passesOver(winner)) this.#setAside(winner);
      else if (this.#hasChanged(winner) && surprises < SURPRISES_MAX) surprises += 1;
      else picked = winner;
    }
    while (this.#passedOver.length > 0) this.#readmit(this.#passedOver.pop() as number);
    if (picked >= 0) this.#take(picked);
    return picked;
  }

  /** The session counts at once: the next pick may come before the engine has counted it. */
  #take(endpoint: number): void {
    this.#pick += 1;
    this.#picks[endpoint] = this.#pick;
    this.#loads[endpoint] = (this.#loads[endpoint] as number) + (this.#shares[endpoint] as number);
    this.#replay(endpoint);
  }

  #readSome(): void {
    const listed = this.#listed;
    const count = Math.min(LOADS_READ, this.#count);
    let next = this.#next;
    for (let read = 0; read < count; read++) {
      this.#hasChanged(listed[next] as number);
      next = next + 1 >= this.#count ? 0 : next + 1;
    }
    this.#next = next;
  }

  /** Reads a load anew. */
  #hasChanged(endpoint: number): boolean {
    const load = this.#loadOf(endpoint);
    if (load === this.#loads[endpoint]) return false;
    this.#loads[endpoint] = load;
    this.#replay(endpoint);
    return true;
  }

  #loadOf(endpoint: number): number {
    return this.#field.sessions(endpoint) * (this.#shares[endpoint] as number);
  }

  #setAside(endpoint: number): void {
    this.#passedOver.push(endpoint);
    this.#loads[endpoint] = Number.POSITIVE_INFINITY;
    this.#replay(endpoint);
  }

  #readmit(endpoint: number): void {
    this.#loads[endpoint] = this.#loadOf(endpoint);
    this.#replay(endpoint);
  }

  /** The matches on the way from a leaf to the top. */
  #replay(endpoint: number): void {
    const winners = this.#winners;
    const loads = this.#loads;
    let winner = endpoint;
    for (let node = this.#leaves + endpoint; node > 1; node >>= 1) {
      const other = winners[node ^ 1] as number;
      const [load, otherLoad] = [loads[winner] as number, loads[other] as number];
      if (otherLoad < load || (otherLoad === load && this.#hasWaitedLonger(other, winner))) winner = other;
      // Without it, nothing above has changed.
      if (winner !== endpoint && winner === winners[node >> 1]) return;
      winners[node >> 1] = winner;
    }
  }

  #hasWaitedLonger(one: number, other: number): boolean {
    return (this.#picks[one] as number) < (this.#picks[other] as number);
  }

  /** The better of the winners at a node and beside it. */
  #better(node: number): number {
    const one = this.#winners[node] as number;
    const other = this.#winners[node + 1] as number;
    const [load, otherLoad] = [this.#loads[one] as number, this.#loads[other] as number];
    return otherLoad < load || (otherLoad === load && this.#hasWaitedLonger(other, one)) ? other : one;
  }

  #beginAnywhere(): void {
    const { names, random } = this.#field;
    const start = Math.floor(random() * names.length);
    for (let endpoint = 0; endpoint < names.length; endpoint++)
      this.#picks[endpoint] = endpoint < start ? endpoint : endpoint - names.length;
    this.#pick = names.length;
  }

  /** A new endpoint has waited longest. */
  #goOn(before: LeastConnections): void {
    const known = new Map(before.#field.names.map((name, endpoint) => [name, before.#picks[endpoint]]));
    for (const [endpoint, name] of this.#field.names.entries())
      this.#picks[endpoint] = known.get(name) ?? Number.NEGATIVE_INFINITY;
    this.#pick = before.#pick;
  }
}

export const leastConnections: Strategy = {
  words: 'the fewest sessions for its `weight`; equals take turns',
  weighs: true,
  hashes: false,
  create: (field, before) => new LeastConnections(field, before),
};
