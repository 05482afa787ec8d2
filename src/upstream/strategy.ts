/**
 * A balancing strategy: picks the next endpoint. Each is one file in balance/ and one line in its index. Pure: chance,
 * loads and what a session passes over are arguments. A pick scans nothing and allocates nothing: what depends on
 * weights alone is prepared in `weigh`.
 */

/** What a balancer sees of its upstream. Endpoints are indices. */
export interface Field {
  /** Identities of the endpoints, the same in every Plan. */
  readonly names: readonly string[];
  /** A number in [0, 1). */
  random(): number;
  /** Sessions of an endpoint now, all workers together. */
  sessions(endpoint: number): number;
  /** The session in hand does not go there: it was tried, or it is full. */
  passesOver(endpoint: number): boolean;
}

export interface Balancer {
  /**
   * The shares from now on, by endpoint; only their ratios count, 0 is never picked. Where the balancer stands is kept.
   * Called before the first pick, and then only for changes. The array is the caller's.
   */
  weigh(weights: Float64Array): void;
  /** An endpoint, or -1 when none is left. `hash`: unsigned, 32 bits, of what the session is known by. */
  pick(hash: number): number;
}

export interface Strategy {
  /** Description for the configuration's documentation. */
  readonly words: string;
  /** Whether `weight` counts; else every endpoint has the same. */
  readonly weighs: boolean;
  /** Whether picks read the hash. */
  readonly hashes: boolean;
  /** `before`: what another Plan made for this upstream, by the same strategy. The new one goes on where that stands. */
  create(field: Field, before?: Balancer): Balancer;
}
