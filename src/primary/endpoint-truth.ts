/** Whether an endpoint is up, all things considered: the operator, its name, its health. */
import type { HealthStatus } from '../model/health-status.js';
import type { PlanEndpoint } from '../model/plan.js';

export interface Truth {
  readonly up: boolean;
  /** Null: it is up. */
  readonly why: string | null;
}

/** One that is drained is up: it serves the sessions that it has. */
export function truthOf({ state, addresses }: PlanEndpoint, health: HealthStatus | null): Truth {
  if (state === 'down') return { up: false, why: 'it was set down' };
  if (addresses.length === 0) return { up: false, why: 'its name does not resolve' };
  return { up: health?.up ?? true, why: health?.why ?? null };
}
