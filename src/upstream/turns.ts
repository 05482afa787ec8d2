/**
 * Turns in proportion to weights, without bunches: each endpoint is due again 1 / weight after it was picked, and the
 * one that is due first is next (a heap). First dues are spread over one step of each, from a random start: otherwise
 * every worker would begin with the same endpoint, and with weights 5, 1, 1 the picks would come as a a a a a b c.
 */
import type { Balancer, Field } from './strategy.js';

export class Turns implements Balancer {
  readonly #field: Field;
  /** Endpoints with a weight, the first due on top. */
  readonly #heap: Int32Array;
  #count = 0;
  /** By endpoint: when it is due, and the time between two turns; 0: it has no weight. */
  readonly #due: Float64Array;
  readonly #step: Float64Array;
  /** By endpoint: the part of a step until its first turn. */
  readonly #firstDue: Float64Array;
  /** Due time of the last pick. */
  #now = 0;
  readonly #passedOver: number[] = [];

  constructor(field: Field, before?: Balancer) {
    const { length } = field.names;
    this.#field = field;
    this.#heap = new Int32Array(length);
    this.#due = new Float64Array(length);
    this.#step = new Float64Array(length);
    this.#firstDue =
      before instanceof Turns ? before.#standing(field.names) : anyOrder(length, field.random());
  }

  weigh(weights: Float64Array): void {
    this.#count = 0;
    for (let endpoint = 0; endpoint < weights.length; endpoint++) {
      const weight = weights[endpoint] as number;
      const before = this.#step[endpoint] as number;
      const step = weight > 0 ? 1 / weight : 0;
      const left =
        before > 0
          ? ((this.#due[endpoint] as number) - this.#now) / before
          : (this.#firstDue[endpoint] as number);
      this.#step[endpoint] = step;
      this.#due[endpoint] = left * step;
      // One that left and comes back waits for a whole step.
      if (step > 0 || before > 0) this.#firstDue[endpoint] = 1;
      if (step > 0) this.#add(endpoint);
    }
    this.#now = 0;
  }

  pick(): number {
    let picked = -1;
    while (this.#count > 0 && picked < 0) {
      const top = this.#heap[0] as number;
      if (this.#field.passesOver(top)) this.#setAside(top);
      else picked = top;
    }
    if (picked >= 0) {
      this.#now = this.#due[picked] as number;
      this.#due[picked] = this.#now + (this.#step[picked] as number);
      this.#sink();
    }
    while (this.#passedOver.length > 0) this.#skipTurn(this.#passedOver.pop() as number);
    return picked;
  }

  #setAside(top: number): void {
    this.#passedOver.push(top);
    this.#count -= 1;
    this.#heap[0] = this.#heap[this.#count] as number;
    this.#sink();
  }

  /** A full endpoint does not save its turns up for later. */
  #skipTurn(endpoint: number): void {
    const next = (this.#due[endpoint] as number) + (this.#step[endpoint] as number);
    this.#due[endpoint] = Math.max(next, this.#now);
    this.#add(endpoint);
  }

  #add(endpoint: number): void {
    let at = this.#count;
    this.#count += 1;
    const due = this.#due[endpoint] as number;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = this.#heap[parent] as number;
      if ((this.#due[above] as number) <= due) break;
      this.#heap[at] = above;
      at = parent;
    }
    this.#heap[at] = endpoint;
  }

  /** Moves the top down to its place. */
  #sink(): void {
    const heap = this.#heap;
    const dues = this.#due;
    const count = this.#count;
    const endpoint = heap[0] as number;
    const due = dues[endpoint] as number;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= count) break;
      let first = dues[heap[child] as number] as number;
      if (child + 1 < count && (dues[heap[child + 1] as number] as number) < first) {
        child += 1;
        first = dues[heap[child] as number] as number;
      }
      if (first >= due) break;
      heap[at] = heap[child] as number;
      at = child;
    }
    heap[at] = endpoint;
  }

  /** By endpoint of another Plan: the part of a step until it is due; a new one waits for a whole step. */
  #standing(names: readonly string[]): Float64Array {
    const known = new Map(this.#field.names.map((name, endpoint) => [name, this.#left(endpoint)]));
    return Float64Array.from(names, (name) => known.get(name) ?? 1);
  }

  #left(endpoint: number): number {
    const step = this.#step[endpoint] as number;
    if (step === 0) return this.#firstDue[endpoint] as number;
    return ((this.#due[endpoint] as number) - this.#now) / step;
  }
}

/** One after the other, from a random one. */
function anyOrder(length: number, random: number): Float64Array {
  const start = Math.floor(random * length);
  return Float64Array.from({ length }, (_, endpoint) => ((endpoint - start + length) % length) / length);
}
