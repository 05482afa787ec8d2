/** What nodes of a cluster say of endpoints, each by its own checks. */

export type Verdict = 'up' | 'down';

/** By `verdictKey`. */
export type Verdicts = ReadonlyMap<string, Verdict>;

/** How many nodes say so. */
export interface Tally {
  readonly up: number;
  readonly down: number;
}

export const NOBODY: Tally = { up: 0, down: 0 };

/** What other nodes say, and of which endpoints it counts. */
export interface Votes {
  /** By `verdictKey`. */
  readonly tallies: ReadonlyMap<string, Tally>;
  /** Also of endpoints with loopback addresses: all nodes are on one machine. */
  readonly allowLoopback: boolean;
}

/** An endpoint, by the names that the configurations of all nodes have for it and its upstream. */
export const verdictKey = (upstream: string, endpoint: string): string => `${upstream}\n${endpoint}`;
