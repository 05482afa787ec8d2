/** Parts of a Plan as the configuration's validation and compiler would make them. */
import type { z } from 'zod';
import { upstream } from '../../src/config/schema/upstreams.js';
import type { PlanProtocol, PlanRoute } from '../../src/model/plan.js';
import type { UpstreamOptions } from '../../src/model/upstream-options.js';
import { compileAutomaton } from '../../src/protocols/compile.js';
import { protocolById } from '../../src/protocols/index.js';

export function planned(protocol: Pick<PlanProtocol, 'name' | 'id'> & Partial<PlanProtocol>): PlanProtocol {
  const { id, signature = null } = protocol;
  const automaton = compileAutomaton({ id, signature: signature ?? protocolById(id)?.signature ?? {} });
  return { signature: null, validator: null, automaton, ...protocol };
}

/** Routes by the names that they have in a file. */
export const listedRoutes = (routes: readonly Omit<PlanRoute, 'name'>[]): PlanRoute[] =>
  routes.map((route, index) => ({ name: `routes[${index}]`, ...route }));

/** What an upstream is when its section says only this. */
export const optionsWith = (written: z.input<typeof upstream> = {}): UpstreamOptions =>
  upstream.parse(written);
