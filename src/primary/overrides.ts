/** Overrides of endpoints (weight, state) as values: a Plan is compiled with new ones, and they count once it is in force. */
import type { Config } from '../model/config.js';
import type { EndpointOverride, EndpointOverrides } from '../model/overrides.js';

export const NO_OVERRIDES: EndpointOverrides = new Map();

const AS_CONFIGURED: EndpointOverride = { weight: null, state: 'up' };

export function overrideOf(
  overrides: EndpointOverrides,
  upstream: string,
  endpoint: string,
): EndpointOverride {
  return overrides.get(upstream)?.get(endpoint) ?? AS_CONFIGURED;
}

/** With `change` merged into the endpoint's override; one that asks for nothing any more is left out. */
export function withOverride(
  overrides: EndpointOverrides,
  upstream: string,
  endpoint: string,
  change: Partial<EndpointOverride>,
): EndpointOverrides {
  const changed = { ...overrideOf(overrides, upstream, endpoint), ...change };
  const endpoints = new Map(overrides.get(upstream)).set(endpoint, changed);
  if (changed.weight === null && changed.state === 'up') endpoints.delete(endpoint);
  const all = new Map(overrides).set(upstream, endpoints);
  if (endpoints.size === 0) all.delete(upstream);
  return all;
}

/** Those whose endpoint is still configured, or may be found: one that comes back later comes as configured. */
export function keepOverrides(overrides: EndpointOverrides, { upstreams }: Config): EndpointOverrides {
  const kept = upstreams.flatMap(({ name, endpoints }) => {
    const there = new Set(endpoints.map((endpoint) => endpoint.name));
    const finds = endpoints.some(({ address }) => 'service' in address);
    const own = [...(overrides.get(name) ?? [])].filter(([endpoint]) => finds || there.has(endpoint));
    return own.length === 0 ? [] : [[name, new Map(own)] as const];
  });
  return new Map(kept);
}
