/** Power of two choices: the less loaded of two random endpoints. Nearly even, without a herd effect. */

import { Line } from '../line.js';
import type { Balancer, Field, Strategy } from '../strategy.js';

/** Draws for an endpoint that may be taken, and for a second one; then a scan, or one choice alone. */
const DRAWS_MAX = 8;

class RandomTwo implements Balancer {
  readonly #field: Field;
  readonly #line: Line;
  readonly #weights: Float64Array;

  constructor(field: Field) {
    this.#field = field;
    this.#line = new Line(field.names.length);
    this.#weights = new Float64Array(field.names.length);
  }

  weigh(weights: Float64Array): void {
    this.#weights.set(weights);
    this.#line.weigh(weights);
  }

  pick(): number {
    if (this.#line.length === 0) return -1;
    const first = this.#draw(-1);
    if (first < 0) return this.#line.firstFrom(this.#point(), (endpoint) => this.#field.passesOver(endpoint));
    const second = this.#draw(first);
    return second >= 0 && this.#load(second) < this.#load(first) ? second : first;
  }

  /** -1: chance has named only those that are passed over, and `other`. */
  #draw(other: number): number {
    for (let draw = 0; draw < DRAWS_MAX; draw++) {
      const endpoint = this.#line.at(this.#point());
      if (endpoint !== other && !this.#field.passesOver(endpoint)) return endpoint;
    }
    return -1;
  }

  #point(): number {
    return this.#field.random() * this.#line.length;
  }

  #load(endpoint: number): number {
    return this.#field.sessions(endpoint) / (this.#weights[endpoint] as number);
  }
}

export const randomTwo: Strategy = {
  words: 'of two that chance names in proportion to `weight`, the one with fewer sessions for its `weight`',
  weighs: true,
  hashes: false,
  create: (field) => new RandomTwo(field),
};
