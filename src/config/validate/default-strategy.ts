/** `distributed.load_balancer`: the strategy of upstreams of services that say none. */
import { isRegisteredName } from '../../base/address.js';
import type { EndpointConfig, UpstreamConfig } from '../../model/config.js';
import { isMapping, valueAt } from '../path.js';
import type { Source } from '../source.js';
import type { Shape } from './shape.js';
import type { NamedUpstream } from './upstreams.js';

export interface Balanced {
  readonly upstreams: readonly UpstreamConfig[];
  readonly written: readonly NamedUpstream[];
}

/** `written`: those of `upstreams` that are written as mappings. */
export function withDefaultStrategy(
  { upstreams, written }: Balanced,
  { distributed }: Shape,
  { value: file }: Source,
): Balanced {
  const balance = distributed?.enable === true ? distributed.load_balancer?.strategy : undefined;
  if (balance === undefined) return { upstreams, written };
  const saying = written.filter(({ path }) => saysStrategy(valueAt(file, path))).map(({ name }) => name);
  const chosen = new Set(saying);
  const takes = (name: string, addresses: readonly EndpointConfig['address'][]) =>
    !chosen.has(name) && addresses.some(isRegistered);
  return {
    upstreams: upstreams.map((each) =>
      takes(
        each.name,
        each.endpoints.map(({ address }) => address),
      )
        ? { ...each, options: { ...each.options, balance } }
        : each,
    ),
    written: written.map((each) =>
      takes(
        each.name,
        (each.value.endpoints ?? []).map(({ address: { address } }) => address),
      )
        ? { ...each, value: { ...each.value, balance } }
        : each,
    ),
  };
}

const saysStrategy = (value: unknown): boolean => isMapping(value) && value.balance !== undefined;

const isRegistered = (address: EndpointConfig['address']): boolean =>
  'service' in address && isRegisteredName(address.service);
