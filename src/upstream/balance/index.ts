/** The balancing strategies: the table is also the configuration's vocabulary for `balance`. */
import type { Strategy } from '../strategy.js';
import { consistentHash } from './consistent-hash.js';
import { leastConnections } from './least-connections.js';
import { randomTwo } from './random-two.js';
import { roundRobin } from './round-robin.js';
import { sourceHash } from './source-hash.js';
import { weightedRoundRobin } from './weighted-round-robin.js';

export const strategies = {
  round_robin: roundRobin,
  weighted_round_robin: weightedRoundRobin,
  least_connections: leastConnections,
  random_two: randomTwo,
  source_hash: sourceHash,
  consistent_hash: consistentHash,
} as const satisfies Record<string, Strategy>;

export type StrategyName = keyof typeof strategies;

export const strategyNames = Object.keys(strategies) as [StrategyName, ...StrategyName[]];
