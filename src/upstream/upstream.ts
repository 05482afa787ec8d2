/** Run-time state of one upstream: picks the next endpoint. */
import type { PlanUpstream } from '../model/plan.js';
import { createBalancer, type StrategyName } from './balance/index.js';
import type { BalancedEndpoint, Balancer } from './strategy.js';

export interface Upstream {
  /** A resolved endpoint that is up and not in `tried`, or -1. `source` returns the client's address literal. */
  pick(source: () => string, tried?: ReadonlySet<number>): number;
  readonly balanced: Balanced;
}

/** A balancer and what it balances: a later Plan that says the same goes on where it stands. */
export interface Balanced {
  readonly strategy: StrategyName;
  readonly endpoints: readonly BalancedEndpoint[];
  readonly balancer: Balancer;
}

const NONE_TRIED: ReadonlySet<number> = new Set();

/**
 * Sessions per endpoint id. The engines keep the counts of all workers, but an engine learns of picks only when it
 * reads this worker's answers. Picks of the current turn are added here; otherwise they would all go to one endpoint.
 */
export class Loads {
  readonly #counted: (endpoint: number) => number;
  readonly #picked = new Map<number, Picks>();
  #turn = 0;

  /** `counted`: sessions of an endpoint, all workers together. */
  constructor(counted: (endpoint: number) => number) {
    this.#counted = counted;
  }

  sessions(endpoint: number): number {
    const picks = this.#picked.get(endpoint);
    return this.#counted(endpoint) + (picks?.turn === this.#turn ? picks.count : 0);
  }

  picked(endpoint: number): void {
    const picks = this.#picked.get(endpoint);
    if (picks === undefined) this.#picked.set(endpoint, { turn: this.#turn, count: 1 });
    else if (picks.turn === this.#turn) picks.count += 1;
    else [picks.turn, picks.count] = [this.#turn, 1];
  }

  /**
   * Called when the engine has read all answers. Not `clear()`: that makes a new table each time, in the old generation
   * once the first one is there, where garbage gathers until a full collection.
   */
  settle(): void {
    this.#turn = (this.#turn + 1) | 0;
  }

  /** Forgets all other endpoints. */
  keep(ids: ReadonlySet<number>): void {
    for (const id of this.#picked.keys()) if (!ids.has(id)) this.#picked.delete(id);
  }
}

/** Picks of an endpoint; of an earlier turn they count no more. */
interface Picks {
  turn: number;
  count: number;
}

/** What all upstreams of a worker share. */
export interface Around {
  /** A number in [0, 1). */
  readonly random: () => number;
  readonly loads: Loads;
  readonly health: Health;
}

/** Who is well (src/health/table.ts), by endpoint id. */
export interface Health {
  isUp(endpoint: number): boolean;
}

/** `ids`: ids of its endpoints. `before`: the same upstream of the Plan before. */
export function createUpstream(
  plan: PlanUpstream,
  ids: readonly number[],
  { random, loads, health }: Around,
  before?: Balanced,
): Upstream {
  const balanced = balancedOf(plan, random, before);
  const open = plan.endpoints.map(({ addresses, state }) => addresses.length > 0 && state === 'up');
  const active = (endpoint: number) => loads.sessions(ids[endpoint] as number);

  return {
    pick(source, tried = NONE_TRIED) {
      const usable = (endpoint: number) =>
        open[endpoint] === true && health.isUp(ids[endpoint] as number) && !tried.has(endpoint);
      const picked = balanced.balancer.pick({ source, active, usable });
      if (picked >= 0) loads.picked(ids[picked] as number);
      return picked;
    },
    balanced,
  };
}

function balancedOf({ options, endpoints }: PlanUpstream, random: () => number, before?: Balanced): Balanced {
  const strategy = options.balance as StrategyName;
  if (before?.strategy === strategy && areSame(before.endpoints, endpoints)) return before;
  return { strategy, endpoints, balancer: createBalancer(strategy, endpoints, random) };
}

const areSame = (before: readonly BalancedEndpoint[], after: readonly BalancedEndpoint[]): boolean =>
  before.length === after.length &&
  before.every(({ name, weight, backup }, index) => {
    const other = after[index];
    return other?.name === name && other.weight === weight && other.backup === backup;
  });
