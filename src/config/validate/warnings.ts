/** Warnings: valid, but probably not intended. */
import { withoutHostBits } from '../../base/network.js';
import type { Config, ListenerConfig, Problem } from '../../model/config.js';
import { socketTransportsOf } from '../../model/transports.js';
import { findAmbiguities } from '../ambiguity.js';
import { findAll } from '../path.js';
import { inFileOrder, placeName, unplaced, type Warn } from '../report.js';
import type { UpstreamEntry } from '../schema/upstreams.js';
import type { Source } from '../source.js';
import { warnOfToken } from './admin.js';
import { warnOfTakenAtAccept } from './at-accept.js';
import { warnOfConnectProxy } from './connect-proxy-warnings.js';
import type { Context } from './context.js';
import { warnOfDistributed } from './distributed.js';
import { warnOfDocker } from './docker.js';
import type { ListenerGroup } from './groups.js';
import { warnOfHealthChecks } from './health-checks.js';
import { warnOfIdleOptions } from './idle-options.js';
import { type KcpNames, warnOfKcp } from './kcp.js';
import { warnOfLoops, warnOfMonitoringPorts } from './loops.js';
import { warnOfOrphanedOptions } from './orphaned-options.js';
import type { ProtocolNames } from './protocols.js';
import { warnOfQuietClients } from './quiet-clients.js';
import type { Reachability } from './reachability.js';
import { warnOfSecurity } from './security.js';
import type { Entry, Shape } from './shape.js';
import { portKey } from './sockets.js';
import { warnOfSource } from './sources.js';
import { warnOfTargetFiles } from './target-files.js';
import { warnOfTransportOptions } from './transport-options.js';
import { warnOfUnreachable } from './unreachable.js';
import type { NamedUpstream } from './upstreams.js';
import { warnOfRights } from './user.js';
import { warnOfWritten } from './written.js';

export interface Checked {
  readonly source: Source;
  readonly shape: Shape;
  /** Upstreams that are written as mappings. */
  readonly written: readonly NamedUpstream[];
  readonly groups: readonly ListenerGroup[];
  readonly names: ProtocolNames;
  readonly profiles: KcpNames;
  readonly config: Config;
  readonly reachability: Reachability;
}

const NETWORKS = [
  'security.ip_whitelist',
  'security.ip_blacklist',
  'security.allow_only',
  'listeners.[].ip_whitelist',
  'listeners.[].ip_blacklist',
  'listeners.[].allow_only',
  'listeners.[].proxy_protocol.trusted',
  'forwards.[].ip_whitelist',
  'forwards.[].ip_blacklist',
  'forwards.[].allow_only',
  'forwards.[].proxy_protocol.trusted',
  'connect_proxy.allow_from',
  'routes.[].when.source',
  'routes.[].when.not.source',
  'routes.[].when.not.[].source',
];

export function warningsOf(checked: Checked, context: Context): Problem[] {
  const { source, shape, written, groups, names, profiles, config, reachability } = checked;
  const warnings: Problem[] = [];
  const say = (message: string) => warnings.push(unplaced(message));
  const warn: Warn = (path, message) => warnings.push({ ...source.place(path), message });
  for (const name of names.unserved) {
    say(`protocol \`${name}\` is spoken in datagrams, which no listener takes`);
  }
  for (const message of findAmbiguities(config)) say(message);
  warnOfUnreachable(reachability, warn, (path) => placeName(path, source));
  warnOfTakenAtAccept(reachability, source, warn, (path) => placeName(path, source));
  warnOfDeadEnds(reachability, warn, say);
  warnOfUnrouted(shape, reachability, warn);
  warnOfQuietClients(reachability, warn);
  warnOfIdleOptions(written, source, warn);
  warnOfHealthChecks(written, source, context, warn);
  for (const upstream of written) {
    warnOfFewWarm(upstream, config, warn);
    warnOfSource(upstream, context, warn);
  }
  warnOfTargetFiles(written, context, warn);
  warnOfLoops(shape, config, context, warn);
  warnOfMonitoringPorts(config, warn);
  warnOfRights(source, config, context, warn);
  warnOfToken(config, warn);
  warnOfSecurity(shape, source, warn);
  warnOfWritten(groups, config, context, warn);
  warnOfFamilies(groups, warn);
  warnOfHostBits(source, warn);
  warnOfOrphanedOptions(shape, source, warn);
  warnOfConnectProxy(checked, context, warn, (path) => placeName(path, source));
  warnOfDistributed(shape, context, warn);
  warnOfDocker(shape, context, warn);
  warnOfKcp(shape, profiles, context, warn);
  warnOfTransportOptions(written, reachability, source, warn);
  return warnings.toSorted(inFileOrder(source.files));
}

/** Whether any session of the listener reaches a destination. */
const leads = (
  listener: ListenerConfig,
  routes: Reachability['routes'],
  accepts: Reachability['accepts'],
): boolean =>
  listener.onUnknown.kind === 'upstream' ||
  listener.onSilence !== null ||
  routes.some((route) => accepts(route, listener));

/** Listeners that close every session. */
function warnOfDeadEnds(
  { routes, groups, accepts }: Reachability,
  warn: Warn,
  say: (text: string) => void,
): void {
  const dead = groups.filter(({ listeners }) => !listeners.some((each) => leads(each, routes, accepts)));
  if (groups.length === 0) return;
  if (dead.length === groups.length) say('nothing is routed: every session will be closed');
  else {
    for (const { path } of dead) {
      warn(
        path,
        'leads nowhere: no route and no target is for what it accepts, and every session will be closed',
      );
    }
  }
}

/** Protocols that are recognised and then closed, since no route takes them. */
function warnOfUnrouted(
  { protocols, listeners }: Shape,
  { routes, groups, accepts, nameOf }: Reachability,
  warn: Warn,
): void {
  const isRouted = (name: string, at: readonly ListenerConfig[]) =>
    at.some(
      (listener) =>
        listener.onUnknown.kind === 'upstream' ||
        (listener.protocols.includes(name) &&
          routes.some((route) => (route.protocols?.includes(name) ?? true) && accepts(route, listener))),
    );
  const everywhere = groups.flatMap((group) => group.listeners);
  for (const { path, value } of protocols) {
    const name = nameOf(value.name);
    if (name === undefined || isRouted(name, everywhere)) continue;
    warn([...path, 'name'], 'leads nowhere: it has no target, and no route is for it');
  }
  for (const { path, value } of listeners ?? []) {
    const own = groups.find((group) => group.path === path)?.listeners ?? [];
    if (!own.some((listener) => leads(listener, routes, accepts))) continue;
    for (const [index, written] of (value.protocols ?? []).entries()) {
      const name = nameOf(written);
      if (name === undefined || isRouted(name, own)) continue;
      warn([...path, 'protocols', index], `leads nowhere: no route that this listener has is for ${written}`);
    }
  }
}

/** A worker opens its own connections. */
function warnOfFewWarm({ path, value }: Entry<UpstreamEntry>, { server }: Config, warn: Warn): void {
  const { warm } = value.pool;
  if (value.handler !== undefined || warm === 0 || warm >= server.workers) return;
  warn(
    [...path, 'pool', 'warm'],
    `is less than the ${server.workers} workers: ${server.workers - warm} of them have none for an endpoint, and their sessions connect themselves`,
  );
}

/** With one IPv4 address listed, `[::]` no longer takes the other IPv4 addresses. */
function warnOfFamilies(groups: readonly ListenerGroup[], warn: Warn): void {
  const keysOf = (listener: ListenerConfig, port: number) =>
    socketTransportsOf(listener).map((transport) => portKey(transport, port));
  const every = new Set(
    groups
      .flatMap(({ listeners }) => listeners)
      .flatMap((each) =>
        each.address.kind === 'inet' && each.address.host === '0.0.0.0'
          ? keysOf(each, each.address.port)
          : [],
      ),
  );
  for (const { path, listeners } of groups) {
    for (const listener of listeners) {
      const { address } = listener;
      if (address.kind !== 'inet' || !address.ipv6Only) continue;
      if (keysOf(listener, address.port).every((key) => every.has(key))) continue;
      warn(path, `\`${address.text}\` takes IPv6 alone, because an IPv4 address of its port is listed`);
    }
  }
}

function warnOfHostBits({ value }: Source, warn: Warn): void {
  for (const found of NETWORKS.flatMap((pattern) => findAll(value, pattern))) {
    const items = Array.isArray(found.value)
      ? found.value.map((item, index) => [item, index])
      : [[found.value]];
    for (const [item, ...index] of items) {
      const network = typeof item === 'string' ? withoutHostBits(item) : null;
      if (network === null) continue;
      warn(
        [...found.path, ...index],
        `\`${item}\` has bits beyond its prefix: it takes effect as \`${network}\``,
      );
    }
  }
}
