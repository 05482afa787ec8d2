/** The proxy in the Plan: routes that lead to it, and the upstreams that its sessions are counted and limited by. */
import type { Config, ProtocolConfig } from '../model/config.js';
import {
  ANY_DESTINATION,
  CONNECT_PROXY,
  type ConnectProxyConfig,
  type PlanConnectProxy,
  type ProxyUserConfig,
} from '../model/connect-proxy.js';
import type { Conditions, PlanUpstream } from '../model/plan.js';
import type { UpstreamOptions } from '../model/upstream-options.js';
import { compact } from '../routing/values.js';

/** Conditions as written in a file. */
export interface ProxyRoutes {
  /** Before all others: requests to a proxy. */
  readonly first: readonly Conditions[];
  /** Behind all others: requests to a web server, where nothing else takes them. They are told what this is. */
  readonly last: readonly Conditions[];
}

export function proxyRoutes({ connectProxy, listeners, protocols }: Config): ProxyRoutes {
  if (connectProxy === null) return { first: [], last: [] };
  const { socks, listeners: names } = connectProxy;
  const at = (ids: readonly string[], places: readonly string[], more: Conditions = {}): Conditions[] => {
    const spoken = namesOf(protocols, ids);
    if (spoken.length === 0 || places.length === 0) return [];
    return [{ protocol: compact(spoken), ...more, listener: compact(places) }];
  };
  const ending = listeners.filter(({ name, onUnknown }) => names.includes(name) && onUnknown.kind === 'end');
  const places = ending.map(({ name }) => name);
  return {
    first: [...at(['http'], names, { method: 'CONNECT' }), ...(socks ? at(['socks4', 'socks5'], names) : [])],
    last: [...at(['http', 'webdav', 'websocket'], places), ...at(['http2', 'grpc'], places)],
  };
}

const namesOf = (protocols: readonly ProtocolConfig[], ids: readonly string[]): string[] =>
  protocols.filter(({ id }) => ids.includes(id)).map(({ name }) => name);

/** `index`: of its first upstream. */
export function planConnectProxy(
  { listeners, users, usersFile, options, ...policy }: ConnectProxyConfig,
  index: number,
): { readonly plan: PlanConnectProxy; readonly upstreams: readonly PlanUpstream[] } {
  const limited = (users ?? []).filter(isLimited);
  const places = new Map(limited.map(({ name }, at) => [name, index + 1 + at]));
  const planned = users?.map(({ name, hash }) => ({ name, hash, upstream: places.get(name) ?? index }));
  return {
    plan: { ...policy, upstream: index, users: planned ?? null },
    upstreams: [upstreamOf(CONNECT_PROXY, options), ...upstreamsOf(limited, options, policy.logUsers)],
  };
}

const isLimited = ({ maxConnections, bandwidth }: ProxyUserConfig): boolean =>
  maxConnections > 0 || bandwidth.up > 0 || bandwidth.down > 0;

/** Those with the same limits have the same options. */
function upstreamsOf(
  users: readonly ProxyUserConfig[],
  options: UpstreamOptions,
  isNamed: boolean,
): PlanUpstream[] {
  const made = new Map<string, UpstreamOptions>();
  return users.map(({ name, maxConnections: max_connections, bandwidth }) => {
    const key = `${max_connections} ${bandwidth.up} ${bandwidth.down}`;
    const own = made.get(key) ?? {
      ...options,
      max_connections,
      bandwidth: { ...bandwidth, per: 'upstream' },
    };
    made.set(key, own);
    return isNamed
      ? upstreamOf(`${CONNECT_PROXY}/${name}`, own)
      : { ...upstreamOf(CONNECT_PROXY, own), key: `${CONNECT_PROXY} ${name}` };
  });
}

const upstreamOf = (name: string, options: UpstreamOptions): PlanUpstream => ({
  name,
  handler: null,
  via: null,
  endpoints: [{ name: ANY_DESTINATION, weight: 1, backup: false, state: 'up', addresses: [] }],
  kcp: null,
  options,
});
