/** Hash of the client: exact by weight, but most clients move when an endpoint is added or removed. */

import { Line } from '../line.js';
import { pickByHash } from '../rehash.js';
import type { Balancer, Field, Strategy } from '../strategy.js';

class SourceHash implements Balancer {
  readonly #field: Field;
  readonly #line: Line;
  readonly #at = (hash: number) => this.#line.at(hash % this.#line.length);

  constructor(field: Field) {
    this.#field = field;
    this.#line = new Line(field.names.length);
  }

  weigh(weights: Float64Array): void {
    this.#line.weigh(weights);
  }

  pick(hash: number): number {
    return this.#line.length === 0 ? -1 : pickByHash(hash, this.#at, this.#line, this.#field);
  }
}

export const sourceHash: Strategy = {
  words: 'by `hash_key` and `weight`; most clients move when the set of endpoints changes',
  weighs: true,
  hashes: true,
  create: (field) => new SourceHash(field),
};
