/**
 * What a balancing strategy is: given the endpoints and who is asking, the next endpoint. Pure: chance is an
 * argument, who is well is asked. Each strategy is one file in balance/ and one line in its index. A strategy
 * never looks at `backup`: balance/index.ts offers it backups only when nothing else is left.
 */

export interface BalancedEndpoint {
  /** Its identity, the same in every Plan. */
  readonly name: string;
  /** 1..256; how many times the sessions of an endpoint with weight 1. */
  readonly weight: number;
  readonly backup: boolean;
}

export interface PickContext {
  /** The client's address, a literal without port: made only for who asks. */
  source(): string;
  /** Sessions that an endpoint has now. */
  active(endpoint: number): number;
  usable(endpoint: number): boolean;
}

export interface Balancer {
  /** An endpoint's index, or -1 when none is usable. */
  pick(context: PickContext): number;
}

export interface Strategy {
  /** In words, for the configuration's documentation. */
  readonly words: string;
  /** `random` answers in [0, 1). */
  create(endpoints: readonly BalancedEndpoint[], random: () => number): Balancer;
}
