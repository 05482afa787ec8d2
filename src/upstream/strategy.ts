/**
 * A balancing strategy: picks the next endpoint for a client. Pure: randomness and usability are arguments. Each
 * strategy is one file in balance/ and one line in its index. Strategies ignore `backup`: balance/index.ts offers
 * backups only when no other endpoint is usable.
 */

export interface BalancedEndpoint {
  /** Identity, the same in every Plan. */
  readonly name: string;
  /** 1..256: share of sessions relative to an endpoint of weight 1. */
  readonly weight: number;
  readonly backup: boolean;
}

export interface PickContext {
  /** The client's address, a literal without port; built on demand. */
  source(): string;
  /** Current sessions of an endpoint. */
  active(endpoint: number): number;
  usable(endpoint: number): boolean;
}

export interface Balancer {
  /** An endpoint's index, or -1 when none is usable. */
  pick(context: PickContext): number;
}

export interface Strategy {
  /** Description for the configuration's documentation. */
  readonly words: string;
  /** `random` returns a number in [0, 1). */
  create(endpoints: readonly BalancedEndpoint[], random: () => number): Balancer;
}
