/** Compiles Config and Discovery to a Plan: names become indices, all decisions are made. */

import { isIP } from 'node:net';
import { deepFreeze } from '../base/freeze.js';
import { isOwnHost } from '../base/own-host.js';
import type { SocketAddress } from '../model/address.js';
import type {
  Config,
  Discovered,
  Discovery,
  EndpointConfig,
  ListenerConfig,
  SecurityConfig,
  ServerConfig,
  TargetConfig,
  UpstreamConfig,
} from '../model/config.js';
import { CONNECT_PROXY } from '../model/connect-proxy.js';
import type { Ids } from '../model/ids.js';
import type { EndpointOverrides } from '../model/overrides.js';
import type {
  Conditions,
  Plan,
  PlanAdmission,
  PlanEndpoint,
  PlanForm,
  PlanListener,
  PlanProtocol,
  PlanRoute,
  PlanTarget,
  PlanUpstream,
} from '../model/plan.js';
import type { Signature, Transport } from '../model/protocol.js';
import { transportsOf } from '../model/transports.js';
import type { DnsFamily } from '../model/upstream-options.js';
import type { Hop } from '../model/via.js';
import { compileOnce } from '../protocols/compile.js';
import { protocols as builtIns, protocolById, recognizerOf } from '../protocols/index.js';
import { formOf, signatureOver } from '../protocols/planned.js';
import { compileConditions } from '../routing/conditions/index.js';
import { compact } from '../routing/values.js';
import { planConnectProxy, proxyRoutes } from './connect-proxy.js';
import { guestsIn } from './guests.js';
import { ownListener } from './own-listeners.js';

interface Indices {
  protocol(name: string): number;
  listener(name: string): number;
  upstream(name: string): number;
  kcp(name: string): number;
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
    kcp: indexer('kcp profile', config.kcp),
  };
  const protocols = compileProtocols(config);
  const { listeners, kcp } = config;
  const world = { discovery, listeners, guests: guestsIn(config) };
  const configured = config.upstreams.map((upstream) => ({
    ...compileUpstream(upstream, world, overrides),
    kcp: linkedBy(upstream.options.over === 'kcp' ? upstream.options.kcp : null, indices),
  }));
  const proxy = config.connectProxy && planConnectProxy(config.connectProxy, configured.length);
  const upstreams = [...configured, ...(proxy?.upstreams ?? [])];
  return deepFreeze({
    generation,
    limits: limitsOf(config, discovery),
    listeners: compileListeners(config, protocols, indices),
    protocols,
    routes: compileRoutes(config, indices),
    upstreams,
    kcp,
    connectProxy: proxy?.plan ?? null,
    ids: ids.of({ listeners, protocols, upstreams, kcp }),
    accessLog: { enabled: config.logging.accessLog, rate: config.logging.accessLogRate },
    ...(config.modules && { modules: config.modules }),
  });
}

function limitsOf({ server, security, distributed }: Config, { nodes = 1 }: Discovery): Plan['limits'] {
  return {
    identifyTimeoutMs: server.identifyTimeoutMs,
    dialTimeoutMs: server.dialTimeoutMs,
    idleTimeoutMs: server.idleTimeoutMs,
    halfCloseTimeoutMs: server.halfCloseTimeoutMs,
    cacheTtlMs: server.cacheTtlMs,
    bufferBytes: server.bufferBytes,
    identifyMinBytes: server.identifyMinBytes,
    identifyMaxBytes: server.identifyMaxBytes,
    maxConnections: server.maxConnections,
    flows: {
      max: server.udp.maxFlows,
      perSource: server.udp.maxFlowsPerSource,
      idleTimeoutMs: server.udp.idleTimeoutMs,
    },
    tarpitMax: server.tarpitMax,
    tarpitHoldMs: server.tarpitHoldMs,
    longOpeningsPerSource: server.longOpeningsPerSource,
    admission: admissionOf(server, security, distributed?.dividesLimits ? nodes : 1),
  };
}

/** What is off has no limit. Each of the nodes has its part of the limits per source: rounded up, so that one is left of any. */
function admissionOf(
  server: ServerConfig,
  { rateLimit, guard }: SecurityConfig,
  nodes: number,
): PlanAdmission {
  const partOf = (limit: number) => Math.ceil(limit / nodes);
  return {
    sessions: partOf(server.maxConnectionsPerSource),
    identifying: guard?.identifyingPerSource ?? 0,
    identifyingInAll: server.maxIdentifying,
    rate: partOf(rateLimit?.perSecond ?? 0),
    burst: partOf(rateLimit?.burst ?? 0),
    rateInAll: rateLimit?.totalPerSecond ?? 0,
    burstInAll: rateLimit?.totalBurst ?? 0,
    windowMs: guard?.windowMs ?? 0,
    threshold: guard?.threshold ?? 0,
    failures: guard?.failures ?? 0,
    banMs: guard?.banMs ?? 0,
    banMaxMs: guard?.banMaxMs ?? 0,
  };
}

/** `profile`: its name; null or absent: none. */
const linkedBy = (profile: string | null | undefined, indices: Indices): number | null =>
  profile == null ? null : indices.kcp(profile);

function compileTarget(target: TargetConfig, indices: Indices): PlanTarget {
  return target.kind === 'end' ? target : { kind: 'upstream', upstream: indices.upstream(target.upstream) };
}

function compileListeners(
  { listeners }: Config,
  planned: readonly PlanProtocol[],
  indices: Indices,
): PlanListener[] {
  return listeners.map((listener) => {
    const { name, address, transport, onUnknown, onSilence, proxyProtocol, maxConnections } = listener;
    const accepted = listener.protocols.map(indices.protocol);
    const over = (wanted: Transport) =>
      transportsOf(listener).includes(wanted)
        ? accepted.filter((index) => formOf(planned[index] as PlanProtocol, wanted) !== null)
        : [];
    return {
      name,
      address: address.text,
      transport,
      kcp: linkedBy(listener.kcp, indices),
      protocols: over('tcp'),
      datagramProtocols: over('udp'),
      onUnknown: compileTarget(onUnknown, indices),
      onSilence: onSilence && { afterMs: onSilence.afterMs, to: compileTarget(onSilence.to, indices) },
      proxyProtocol,
      maxConnections,
    };
  });
}

/** Forms of transports that no listener has are left out. */
function compileProtocols({ protocols, listeners }: Config): PlanProtocol[] {
  const taken = new Set(listeners.flatMap(transportsOf));
  const configured = protocols.map(({ name, id, signature, transports, validator }): PlanProtocol => {
    const over = (transport: Transport) =>
      taken.has(transport) && transports.includes(transport) ? compiledForm(id, transport, signature) : null;
    return { name, id, signature, stream: over('tcp'), datagram: over('udp'), validator };
  });
  const ids = new Set(configured.map(({ id }) => id));
  const others = builtIns.flatMap(({ id }): PlanProtocol[] => {
    const over = (transport: Transport) => (taken.has(transport) ? compiledForm(id, transport) : null);
    const forms = { stream: over('tcp'), datagram: over('udp') };
    const isSpoken = forms.stream !== null || forms.datagram !== null;
    return ids.has(id) || !isSpoken ? [] : [{ name: id, id, signature: null, ...forms, validator: null }];
  });
  return [...configured, ...others];
}

/** `signature`: absent or null for a built-in. Null: it is not spoken over the transport. */
function compiledForm(id: string, transport: Transport, signature: Signature | null = null): PlanForm | null {
  const builtIn = protocolById(id);
  if (signature === null && builtIn === undefined) throw new Error(`protocol ${id} has no signature`);
  const own = signature
    ? signatureOver(signature, transport)
    : builtIn && recognizerOf(builtIn, transport)?.signature;
  return own === undefined ? null : compileOnce({ id, signature: own });
}

/**
 * Those of forwards, on whose listeners no other is asked; requests to the proxy; listed routes; each protocol's own target;
 * and what is left of requests that the proxy knows.
 */
function compileRoutes(config: Config, indices: Indices): PlanRoute[] {
  const { listeners, routes, protocols } = config;
  const proxy = proxyRoutes(config);
  const toProxy = (when: Conditions): PlanRoute => ({
    name: CONNECT_PROXY,
    when: compileConditions(when, indices),
    to: { kind: 'proxy' },
  });
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
  return [
    ...forwardRoutes(listeners, indices),
    ...proxy.first.map(toProxy),
    ...listed,
    ...own,
    ...proxy.last.map(toProxy),
  ];
}

/** One for all ports of a range that have an upstream in common. */
function forwardRoutes(listeners: readonly ListenerConfig[], indices: Indices): PlanRoute[] {
  const routes = new Map<string, { name: string; listener: string[]; upstream: string }>();
  for (const { name: listener, forward } of listeners) {
    if (forward === null) continue;
    const { at: name, upstream } = forward;
    const key = `${name} ${upstream}`;
    const route = routes.get(key) ?? { name, listener: [], upstream };
    route.listener.push(listener);
    routes.set(key, route);
  }
  return [...routes.values()].map(({ name, listener, upstream }) => ({
    name,
    when: compileConditions({ listener: compact(listener) }, indices),
    to: compileTarget({ kind: 'upstream', upstream }, indices),
  }));
}

/** What names stand for, and which of their addresses are ours. */
interface World {
  readonly discovery: Discovery;
  readonly listeners: readonly ListenerConfig[];
  /** Upstreams that may not lead to this machine. */
  readonly guests: ReadonlySet<string>;
}

function compileUpstream(
  { name, handler, endpoints, via, options }: UpstreamConfig,
  world: World,
  overrides: EndpointOverrides,
): Omit<PlanUpstream, 'kcp'> {
  const own = overrides.get(name);
  const dialling = { ...options, isGuest: world.guests.has(name) };
  return {
    name,
    handler,
    options,
    via,
    endpoints: placesOf(endpoints, via?.hops[0] ?? null, dialling, world).map((endpoint) => ({
      ...endpoint,
      weight: own?.get(endpoint.name)?.weight ?? endpoint.weight,
      state: own?.get(endpoint.name)?.state ?? 'up',
    })),
  };
}

type Dns = UpstreamConfig['options']['dns'];
type Dialling = Pick<UpstreamConfig['options'], 'dns' | 'source'> & { readonly isGuest: boolean };
type Place = Pick<PlanEndpoint, 'name' | 'service' | 'weight' | 'backup' | 'addresses'>;

/**
 * Configured endpoints, and those that names of services stand for now; of two with one name the first counts.
 * `first`: the proxy that is dialled for all of them; null: none is.
 */
function placesOf(
  endpoints: readonly EndpointConfig[],
  first: Hop | null,
  options: Dialling,
  world: World,
): Place[] {
  const places = endpoints.flatMap(({ address, ...endpoint }): Place[] => {
    if (!('service' in address))
      return [{ ...endpoint, addresses: addressesOf(first ?? address, options, world) }];
    const { service } = address;
    const found = good(world.discovery.services.get(service), options.dns) ?? [];
    return found.map(({ name, weight, backup, host, port }) => ({
      name,
      service,
      weight,
      backup: backup || endpoint.backup,
      addresses: addressesOf({ host, port }, options, world),
    }));
  });
  const named = new Map(places.toReversed().map((place) => [place.name, place]));
  return places.filter((place) => named.get(place.name) === place);
}

function addressesOf(
  address: Exclude<EndpointConfig['address'], { service: string }>,
  { dns, source, isGuest }: Dialling,
  { discovery, listeners }: World,
): SocketAddress[] {
  if ('path' in address) return [{ path: address.path }];
  const { host, port } = address;
  if (isGuest && isOwnHost(host)) return [];
  if (isIP(host) !== 0) return [{ host, port }];
  const found = good(discovery.hosts.get(host), dns) ?? [];
  const reachable = ofSources(ofFamily(found, dns.family), source.address);
  return reachable
    .filter((each) => !(isGuest && isOwnHost(each)))
    .map((each) => ({ host: each, port }))
    .filter((each) => ownListener(listeners, discovery.machine ?? [], each) === undefined);
}

const good = <Value>(
  discovered: Discovered<Value> | undefined,
  { keep_last_good }: Dns,
): Value | undefined => (discovered?.failing && !keep_last_good ? undefined : discovered?.value);

/** A connection begins and ends in one family. */
const ofSources = (addresses: readonly string[], sources: readonly string[]): readonly string[] =>
  sources.length === 0
    ? addresses
    : addresses.filter((address) => sources.some((source) => isIP(source) === isIP(address)));

function ofFamily(addresses: readonly string[], family: DnsFamily): readonly string[] {
  const ipv4 = addresses.filter((address) => isIP(address) === 4);
  const ipv6 = addresses.filter((address) => isIP(address) === 6);
  switch (family) {
    case 'any':
      return addresses;
    case 'ipv4':
      return ipv4;
    case 'ipv6':
      return ipv6;
    case 'ipv4_first':
      return [...ipv4, ...ipv6];
  }
}
