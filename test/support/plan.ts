/** Parts of a Plan as validation and compiler would build them. */
import type { z } from 'zod';
import { upstream } from '../../src/config/schema/upstreams.js';
import type { Discovery } from '../../src/model/config.js';
import type { PlanAdmission, PlanForm, PlanProtocol, PlanRoute } from '../../src/model/plan.js';
import type { UpstreamOptions } from '../../src/model/upstream-options.js';
import { compileOnce } from '../../src/protocols/compile.js';
import { protocolById } from '../../src/protocols/index.js';

/** Of streams. */
export const plannedForm = ({
  id,
  signature = null,
}: Pick<PlanProtocol, 'id'> & Partial<PlanProtocol>): PlanForm =>
  compileOnce({ id, signature: signature ?? protocolById(id)?.signature ?? {} });

export const planned = (
  protocol: Pick<PlanProtocol, 'name' | 'id'> & Partial<PlanProtocol>,
): PlanProtocol => ({
  signature: null,
  validator: null,
  stream: plannedForm(protocol),
  datagram: null,
  ...protocol,
});

/** Nobody is limited. */
export const openAdmission: PlanAdmission = {
  sessions: 0,
  identifying: 0,
  identifyingInAll: 0,
  rate: 0,
  burst: 0,
  rateInAll: 0,
  burstInAll: 0,
  windowMs: 0,
  threshold: 0,
  failures: 0,
  banMs: 0,
  banMaxMs: 0,
};

/** Routes by their names in the file. */
export const listedRoutes = (routes: readonly Omit<PlanRoute, 'name'>[]): PlanRoute[] =>
  routes.map((route, index) => ({ name: `routes[${index}]`, ...route }));

/** Options of an upstream whose section has only these keys. */
export const optionsWith = (written: z.input<typeof upstream> = {}): UpstreamOptions =>
  upstream.parse(written);

/** A Discovery of hosts alone. */
export const hostsAt = (hosts: Readonly<Record<string, readonly string[]>>): Discovery => ({
  hosts: new Map(Object.entries(hosts).map(([host, value]) => [host, { value, failing: false }])),
  services: new Map(),
});
