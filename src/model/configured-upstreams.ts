import type { Plan, PlanUpstream } from './plan.js';

/** Without those of the proxy, whose endpoint stands for many: what is listed, checked and set by an operator. */
export const configuredUpstreams = ({
  upstreams,
  connectProxy,
}: Pick<Plan, 'upstreams' | 'connectProxy'>): readonly PlanUpstream[] =>
  upstreams.slice(0, connectProxy?.upstream);
