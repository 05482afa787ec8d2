/** Static reachability: which sessions may take which route, from the configuration alone. */
import type { Config, ListenerConfig, TargetConfig } from '../../model/config.js';
import { CONNECT_PROXY } from '../../model/connect-proxy.js';
import type { Conditions } from '../../model/plan.js';
import type { Transport } from '../../model/protocol.js';
import { transportsOf } from '../../model/transports.js';
import { excludedBy, withExcluded } from '../../routing/conditions/index.js';
import { valuesOf } from '../../routing/values.js';
import { factsKnownBy } from '../../upstream/known-by.js';
import { proxyRoutes } from '../connect-proxy.js';
import type { Path } from '../path.js';
import type { ListenerGroup } from './groups.js';
import type { Shape } from './shape.js';

/** What the proxy takes, a listed route, or a protocol's own target, which acts as a route behind them. */
export interface ReachableRoute {
  readonly path: Path;
  /** As written, with the configured names of protocols. */
  readonly when: Conditions;
  /** Configured names; null: any. */
  readonly protocols: readonly string[] | null;
  /** Name of its upstream; null: it ends its sessions. */
  readonly to: string | null;
  /** Its upstream knows clients by what they say. */
  readonly awaitsFacts: boolean;
}

export interface Reachability {
  /** In order of evaluation. */
  readonly routes: readonly ReachableRoute[];
  readonly groups: readonly ListenerGroup[];
  /** The configured name for any spelling of a protocol; undefined when no listener can recognise it. */
  nameOf(written: string): string | undefined;
  /** Whether a session of `listener`, or of any listener, can have the route's listener and protocol. */
  accepts(route: ReachableRoute, listener?: ListenerConfig): boolean;
  /** Names of the upstreams that sessions over this transport may reach. */
  upstreamsOver(transport: Transport): ReadonlySet<string>;
}

export function createReachability(
  shape: Shape,
  groups: readonly ListenerGroup[],
  config: Config,
): Reachability {
  const { listeners: all, protocols, upstreams } = config;
  const nameOf = (written: string) => protocols.find(({ id }) => id === written.toLowerCase())?.name;
  const withNames = (set: Conditions): Conditions =>
    set.protocol === undefined
      ? set
      : { ...set, protocol: valuesOf(set.protocol).flatMap((name) => nameOf(String(name)) ?? []) };
  const isUpstream = (to: string) => upstreams.some(({ name }) => name === to);
  const named = (when: Conditions): Conditions =>
    withExcluded(withNames(when), excludedBy(when).map(withNames));
  const listed = shape.routes.flatMap(({ path, value: { when, to } }): ReachableRoute[] => {
    const awaitsFacts = upstreams.some(
      ({ name, options }) => name === to && factsKnownBy(options).length > 0,
    );
    const route = { path, when: named(when), to: isUpstream(to) ? to : null, awaitsFacts };
    if (when.protocol === undefined) return [{ ...route, protocols: null }];
    const protocols = valuesOf(when.protocol).flatMap((name) => nameOf(name) ?? []);
    // Reported in a warning of its own.
    return protocols.length === 0 ? [] : [{ ...route, protocols }];
  });
  const own = shape.protocols.flatMap(({ path, value }): ReachableRoute[] => {
    const key = value.handler === undefined ? 'target' : 'handler';
    const protocol = nameOf(value.name);
    if (value[key] === undefined || protocol === undefined) return [];
    const to = upstreamOf(protocols.find(({ name }) => name === protocol)?.target ?? null);
    return [{ path: [...path, key], when: { protocol }, protocols: [protocol], to, awaitsFacts: false }];
  });
  const groupOf = new Map(groups.flatMap(({ name, listeners }) => listeners.map((each) => [each, name])));
  const accepts: Reachability['accepts'] = ({ when: { listener: names }, protocols }, only) => {
    const listeners = only === undefined ? groupOf.keys() : [only];
    for (const each of listeners) {
      const isPlace = names === undefined || valuesOf(names).includes(groupOf.get(each) ?? null);
      if (isPlace && (protocols?.some((name) => each.protocols.includes(name)) ?? true)) return true;
    }
    return false;
  };
  const routes = [...proxied(config, groups), ...listed, ...own];
  const spoken = new Map(
    (['tcp', 'udp'] as const).map((transport) => [
      transport,
      new Set(protocols.filter((each) => each.transports.includes(transport)).map(({ name }) => name)),
    ]),
  );
  /** Whether the listener may give the route a session over this transport. */
  const gives = (listener: ListenerConfig, route: ReachableRoute, transport: Transport): boolean =>
    accepts(route, listener) &&
    (route.protocols?.some((name) => listener.protocols.includes(name) && spoken.get(transport)?.has(name)) ??
      true);
  const upstreamsOver: Reachability['upstreamsOver'] = (transport) => {
    const listeners = groups
      .flatMap((group) => group.listeners)
      .filter((each) => transportsOf(each).includes(transport));
    const routed = routes.filter((route) => listeners.some((each) => gives(each, route, transport)));
    const unrouted = listeners.flatMap(({ onUnknown, onSilence }) => [
      onUnknown,
      transport === 'tcp' ? (onSilence?.to ?? null) : null,
    ]);
    const forwarded = all
      .filter((each) => transportsOf(each).includes(transport))
      .map(({ forward }) => forward?.upstream ?? null);
    const names = [...routed.map(({ to }) => to), ...unrouted.map(upstreamOf), ...forwarded];
    return new Set(names.filter((name) => name !== null));
  };
  return { routes, groups, nameOf, accepts, upstreamsOver };
}

/** Requests that the proxy takes before all routes. */
function proxied(config: Config, groups: readonly ListenerGroup[]): ReachableRoute[] {
  const places = groups.filter(({ listeners }) =>
    listeners.some(({ name }) => config.connectProxy?.listeners.includes(name)),
  );
  return proxyRoutes(config).first.map((written) => ({
    path: [CONNECT_PROXY],
    when: { ...written, listener: places.map(({ name }) => name) },
    protocols: valuesOf(written.protocol).map(String),
    to: null,
    awaitsFacts: false,
  }));
}

const upstreamOf = (target: TargetConfig | null): string | null =>
  target?.kind === 'upstream' ? target.upstream : null;
