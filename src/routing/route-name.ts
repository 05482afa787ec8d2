/** What a route is called, in the log as in explanations: as the configuration has it. */
import type { Plan } from '../model/plan.js';

/** `routes[2]`, or `protocols.SSH` for a protocol's own target, which is a route after those that are listed. */
export function routeName({ routes, protocols, ownRoutesFrom }: Plan, index: number): string {
  if (index < ownRoutesFrom) return `routes[${index}]`;
  return `protocols.${protocols[routes[index]?.when.protocol ?? -1]?.name ?? ''}`;
}
