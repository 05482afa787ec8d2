/** One upstream while the daemon runs: which endpoint is next, by what is known of each. */
import type { PlanUpstream } from '../model/plan.js';
import { createBalancer, type StrategyName } from './balance/index.js';

export interface Upstream {
  /** An endpoint that is resolved and was not `tried` yet, or -1. `source` gives an address literal. */
  pick(source: () => string, tried?: ReadonlySet<number>): number;
}

const NONE_TRIED: ReadonlySet<number> = new Set();

/**
 * Sessions of endpoints, by id. The engines count them for all workers together, each once it has read this worker's
 * answers: what was picked since is added here, or all sessions of a turn would go to the same endpoint.
 */
export class Loads {
  readonly #counted: (endpoint: number) => number;
  readonly #picked = new Map<number, number>();

  /** `counted`: of all workers. */
  constructor(counted: (endpoint: number) => number) {
    this.#counted = counted;
  }

  sessions(endpoint: number): number {
    return this.#counted(endpoint) + (this.#picked.get(endpoint) ?? 0);
  }

  picked(endpoint: number): void {
    this.#picked.set(endpoint, (this.#picked.get(endpoint) ?? 0) + 1);
  }

  /** The engine has read all answers. */
  settle(): void {
    if (this.#picked.size > 0) this.#picked.clear();
  }
}

/** `ids`: of its endpoints. */
export function createUpstream(
  plan: PlanUpstream,
  ids: readonly number[],
  random: () => number,
  loads: Loads,
): Upstream {
  const balancer = createBalancer(plan.options.balance as StrategyName, plan.endpoints, random);
  const resolved = plan.endpoints.map(({ addresses }) => addresses.length > 0);
  const active = (endpoint: number) => loads.sessions(ids[endpoint] as number);

  return {
    pick(source, tried = NONE_TRIED) {
      const usable = (endpoint: number) => resolved[endpoint] === true && !tried.has(endpoint);
      const picked = balancer.pick({ source, active, usable });
      if (picked >= 0) loads.picked(ids[picked] as number);
      return picked;
    },
  };
}
