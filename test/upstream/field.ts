/** A balancer with endpoints that a test holds in its hands: weights, sessions, who is passed over. */
import { type StrategyName, strategies } from '../../src/upstream/balance/index.js';
import { hashText } from '../../src/upstream/hash.js';
import type { Balancer } from '../../src/upstream/strategy.js';

/** mulberry32: good enough for an even spread, and the same every time. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export const nameOf = (endpoint: number): string => `10.0.${endpoint >> 8}.${endpoint & 255}:80`;

/** A different client for each number. */
export const clientOf = (number: number): string =>
  `10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`;

export interface Held {
  readonly names?: readonly string[];
  readonly random?: () => number;
  /** Goes on where this one stands. */
  readonly before?: Balanced;
}

export class Balanced {
  /** By endpoint. */
  readonly sessions: number[];
  readonly passedOver = new Set<number>();
  readonly #balancer: Balancer;
  readonly #live: number[] = [];

  constructor(
    readonly strategy: StrategyName,
    public weights: number[],
    { names, random = seeded(1), before }: Held = {},
  ) {
    this.sessions = weights.map(() => 0);
    const field = {
      names: names ?? weights.map((_, endpoint) => nameOf(endpoint)),
      random,
      sessions: (endpoint: number) => this.sessions[endpoint] ?? 0,
      passesOver: (endpoint: number) => this.passedOver.has(endpoint),
    };
    this.#balancer = strategies[strategy].create(field, before && Balanced.#of(before));
    this.weigh(weights);
  }

  static #of(balanced: Balanced): Balancer {
    return balanced.#balancer;
  }

  weigh(weights: readonly number[]): void {
    this.weights = [...weights];
    this.#balancer.weigh(Float64Array.from(weights));
  }

  pick(client = ''): number {
    return this.#balancer.pick(hashText(client));
  }

  /** Picks for this many clients, each a session that lives for `lifetime` picks; how many each endpoint got. */
  run(picks: number, lifetime = 1000, firstClient = 0): number[] {
    const counts = this.weights.map(() => 0);
    for (let pick = 0; pick < picks; pick++) {
      const endpoint = this.pick(clientOf(firstClient + pick));
      if (endpoint < 0) throw new Error('no endpoint');
      counts[endpoint] = (counts[endpoint] ?? 0) + 1;
      this.sessions[endpoint] = (this.sessions[endpoint] ?? 0) + 1;
      this.#live.push(endpoint);
      if (this.#live.length > lifetime) this.#end(this.#live[this.#live.length - 1 - lifetime] as number);
    }
    return counts;
  }

  #end(endpoint: number): void {
    this.sessions[endpoint] = (this.sessions[endpoint] ?? 0) - 1;
  }
}

/** The largest difference between an endpoint's part of the picks and its part of the weights. */
export function deviation(counts: readonly number[], weights: readonly number[]): number {
  const sum = (numbers: readonly number[]) => numbers.reduce((all, each) => all + each, 0);
  const [picks, weight] = [sum(counts), sum(weights)];
  return Math.max(
    ...counts.map((count, endpoint) => Math.abs(count / picks - (weights[endpoint] ?? 0) / weight)),
  );
}
