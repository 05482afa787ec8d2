/** Compiles Config and Discovery to a Plan: names become indices, all decisions are made. */

import { isIP } from 'node:net';
import { deepFreeze } from '../base/freeze.js';
import type { SocketAddress } from '../model/address.js';
import type { Config, Discovery, EndpointConfig, TargetConfig, UpstreamConfig } from '../model/config.js';
import type { Ids } from '../model/ids.js';
import type { EndpointOverrides } from '../model/overrides.js';
import type { Plan, PlanListener, PlanProtocol, PlanRoute, PlanTarget, PlanUpstream } from '../model/plan.js';
import type { Signature } from '../model/protocol.js';
import { compileOnce } from '../protocols/compile.js';
import { protocols as builtIns, protocolById } from '../protocols/index.js';
import { compileConditions } from '../routing/conditions/index.js';

interface Indices {
  protocol(name: string): number;
  listener(name: string): number;
  upstream(name: string): number;
}

/** Validation guarantees that every name exists: a missing one is a bug. */
function indexer(kind: string, named: readonly { readonly name: string }[]): (name: string) => number {
  const indices = new Map(named.map(({ name }, index) => [name, index]));
  return (name) => {
    const index = indices.get(name);
    if (index === undefined) throw new Error(`${kind} ${name} is not configured`);
    return index;
  };
}

/**
 * `generation`: number of the Plan, unique per publication. `ids`: the registry of ids, shared by all Plans.
 * `overrides`: what an operator has set since.
 */
export function compile(
  config: Config,
  discovery: Discovery,
  generation: number,
  ids: Ids,
  overrides: EndpointOverrides = new Map(),
): Plan {
  const indices: Indices = {
    protocol: indexer('protocol', config.protocols),
    listener: indexer('listener', config.listeners),
    upstream: indexer('upstream', config.upstreams),
  };
  const protocols = compileProtocols(config);
  const { listeners, upstreams } = config;
  return deepFreeze({
    generation,
    limits: limitsOf(config),
    listeners: compileListeners(config, indices),
    protocols,
    routes: compileRoutes(config, indices),
    upstreams: upstreams.map((upstream) => compileUpstream(upstream, discovery, overrides)),
    ids: ids.of({ listeners, protocols, upstreams }),
    accessLog: { enabled: config.logging.accessLog, rate: config.logging.accessLogRate },
    ...(config.modules && { modules: config.modules }),
  });
}

function limitsOf({ server }: Config): Plan['limits'] {
  return {
    identifyTimeoutMs: server.identifyTimeoutMs,
    dialTimeoutMs: server.dialTimeoutMs,
    idleTimeoutMs: server.idleTimeoutMs,
    halfCloseTimeoutMs: server.halfCloseTimeoutMs,
    bufferBytes: server.bufferBytes,
    identifyMinBytes: server.identifyMinBytes,
    identifyMaxBytes: server.identifyMaxBytes,
    maxConnections: server.maxConnections,
    longOpeningsPerSource: server.longOpeningsPerSource,
  };
}

function compileTarget(target: TargetConfig, indices: Indices): PlanTarget {
  return target.kind === 'end' ? target : { kind: 'upstream', upstream: indices.upstream(target.upstream) };
}

function compileListeners({ listeners }: Config, indices: Indices): PlanListener[] {
  return listeners.map(({ name, address, protocols, onUnknown, onSilence, proxyProtocol }) => ({
    name,
    address: address.text,
    protocols: protocols.map(indices.protocol),
    onUnknown: compileTarget(onUnknown, indices),
    onSilence: onSilence && { afterMs: onSilence.afterMs, to: compileTarget(onSilence.to, indices) },
    proxyProtocol,
  }));
}

function compileProtocols({ protocols }: Config): PlanProtocol[] {
  const configured = protocols.map(({ name, id, signature, validator }) => {
    const compiled = compileOnce({ id, signature: signature ?? builtInSignature(id) });
    return { name, id, signature, ...compiled, validator };
  });
  const taken = new Set(configured.map(({ id }) => id));
  const others = builtIns
    .filter(({ id, transports }) => transports.includes('tcp') && !taken.has(id))
    .map((builtIn): PlanProtocol => {
      const { id } = builtIn;
      return { name: id, id, signature: null, ...compileOnce(builtIn), validator: null };
    });
  return [...configured, ...others];
}

function builtInSignature(id: string): Signature {
  const builtIn = protocolById(id);
  if (builtIn === undefined) throw new Error(`protocol ${id} has no signature`);
  return builtIn.signature;
}

/** Listed routes, then each protocol's own target. */
function compileRoutes({ routes, protocols }: Config, indices: Indices): PlanRoute[] {
  const listed = routes.map(({ name, when, to }) => ({
    name,
    when: compileConditions(when, indices),
    to: compileTarget(to, indices),
  }));
  const own = protocols.flatMap(({ name, target }) =>
    target === null
      ? []
      : [
          {
            name: `protocols.${name}`,
            when: compileConditions({ protocol: name }, indices),
            to: compileTarget(target, indices),
          },
        ],
  );
  return [...listed, ...own];
}

function compileUpstream(
  { name, handler, endpoints, options }: UpstreamConfig,
  discovery: Discovery,
  overrides: EndpointOverrides,
): PlanUpstream {
  const own = overrides.get(name);
  return {
    name,
    handler,
    options,
    endpoints: endpoints.map(({ address, ...endpoint }) => ({
      ...endpoint,
      weight: own?.get(endpoint.name)?.weight ?? endpoint.weight,
      state: own?.get(endpoint.name)?.state ?? 'up',
      addresses: addressesOf(address, discovery),
    })),
  };
}

function addressesOf(address: EndpointConfig['address'], discovery: Discovery): SocketAddress[] {
  if ('path' in address) return [{ path: address.path }];
  const { host, port } = address;
  const hosts = isIP(host) === 0 ? (discovery.get(host) ?? []) : [host];
  return hosts.map((each) => ({ host: each, port }));
}
