/** Routes: every name must exist, and every fact must be possible. */
import type { RouteConfig } from '../../model/config.js';
import type { Conditions } from '../../model/plan.js';
import { pathText } from '../path.js';
import type { Report } from '../report.js';
import type { RouteEntry } from '../schema/routes.js';
import { suggest } from '../suggest.js';
import type { ListenerGroup } from './listeners.js';
import type { ProtocolNames } from './protocols.js';
import { checkFacts } from './route-facts.js';
import type { Entry, Shape } from './shape.js';
import type { Targets } from './targets.js';

export function resolveRoutes(
  shape: Shape,
  groups: readonly ListenerGroup[],
  names: ProtocolNames,
  targets: Targets,
  report: Report,
): RouteConfig[] {
  const byName = new Map(groups.map((group) => [group.name, group]));
  const listeners: Listeners = {
    groups,
    find: (name) => byName.get(name),
    known: [...new Set([...shape.listenerNames, ...byName.keys()])],
  };
  return shape.routes.flatMap((entry) => resolveRoute(entry, listeners, names, targets, report));
}

interface Listeners {
  readonly groups: readonly ListenerGroup[];
  find(name: string): ListenerGroup | undefined;
  /** All names, also of malformed ones. */
  readonly known: readonly string[];
}

/** Becomes several routes for a port range, none for a protocol that is not recognised yet. */
function resolveRoute(
  { path, value }: Entry<RouteEntry>,
  listeners: Listeners,
  names: ProtocolNames,
  targets: Targets,
  report: Report,
): RouteConfig[] {
  const { protocol, listener, ...rest } = value.when;
  const to = targets.resolve(value.to, [...path, 'to']);
  const protocolName =
    protocol === undefined ? undefined : names.resolve(protocol, [...path, 'when', 'protocol']);
  const group = listener === undefined ? undefined : listeners.find(listener);
  if (listener !== undefined && group === undefined && !listeners.known.includes(listener)) {
    const message = `unknown listener \`${listener}\`${suggest(listener, listeners.known)}`;
    report.problem([...path, 'when', 'listener'], message);
  }
  if (protocolName !== null) {
    const asked = { protocol: protocolName, mayBeProxied: mayBeProxied(listeners.groups, listener) };
    checkFacts(rest, asked, [...path, 'when'], report);
  }
  if (to === null || protocolName === null) return [];
  const places = listener === undefined ? [undefined] : (group?.listeners.map(({ name }) => name) ?? []);
  return places.map((name) => ({
    name: pathText(path),
    when: present({ ...rest, protocol: protocolName, listener: name }),
    to,
  }));
}

/** Whether sessions of `listener`, or of any listener, may have a PROXY header. */
const mayBeProxied = (groups: readonly ListenerGroup[], listener: string | undefined): boolean =>
  groups
    .filter(({ name }) => listener === undefined || name === listener)
    .some(({ listeners }) => listeners.some(({ proxyProtocol }) => proxyProtocol !== null));

/** Drops keys with the value undefined. */
const present = (when: Conditions): Conditions =>
  Object.fromEntries(Object.entries(when).filter(([, value]) => value !== undefined));
