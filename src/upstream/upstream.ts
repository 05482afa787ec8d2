/** One upstream while the daemon runs: which endpoint is next, and how many sessions each has. */
import type { PlanUpstream } from '../model/plan.js';
import { createBalancer, type StrategyName } from './balance/index.js';

export interface Upstream {
  /** An endpoint that is resolved and was not `tried` yet, or -1. `source` gives an address literal. */
  pick(source: () => string, tried?: ReadonlySet<number>): number;
  /** Counts a session on an endpoint; each call is matched by one `released`. */
  connected(endpoint: number): void;
  released(endpoint: number): void;
  active(endpoint: number): number;
}

const NONE_TRIED: ReadonlySet<number> = new Set();

/** Sessions on an endpoint. */
export interface Load {
  sessions: number;
}

/** By the endpoint's id: a new Plan goes on counting where the old one was. */
export type LoadOf = (endpoint: number) => Load;

export function createLoads(): LoadOf {
  const loads = new Map<number, Load>();
  return (endpoint) => {
    const known = loads.get(endpoint) ?? { sessions: 0 };
    loads.set(endpoint, known);
    return known;
  };
}

/** `ids`: of its endpoints. */
export function createUpstream(
  plan: PlanUpstream,
  ids: readonly number[],
  random: () => number,
  loadOf: LoadOf,
): Upstream {
  const balancer = createBalancer(plan.options.balance as StrategyName, plan.endpoints, random);
  const loads = ids.map(loadOf);
  const resolved = plan.endpoints.map(({ addresses }) => addresses.length > 0);
  const active = (endpoint: number) => loads[endpoint]?.sessions ?? 0;
  const add = (endpoint: number, sessions: number) => {
    const load = loads[endpoint];
    if (load !== undefined) load.sessions += sessions;
  };

  return {
    pick(source, tried = NONE_TRIED) {
      const usable = (endpoint: number) => resolved[endpoint] === true && !tried.has(endpoint);
      return balancer.pick({ source, active, usable });
    },
    connected: (endpoint) => add(endpoint, 1),
    released: (endpoint) => add(endpoint, -1),
    active,
  };
}
