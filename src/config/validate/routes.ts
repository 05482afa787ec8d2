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
  return shape.routes.flatMap((entry) => resolveRoute(entry, shape, groups, names, targets, report));
}

/** Becomes several routes for a port range, none for a protocol that is not recognised yet. */
function resolveRoute(
  { path, value }: Entry<RouteEntry>,
  shape: Shape,
  groups: readonly ListenerGroup[],
  names: ProtocolNames,
  targets: Targets,
  report: Report,
): RouteConfig[] {
  const { protocol, listener, ...rest } = value.when;
  const to = targets.resolve(value.to, [...path, 'to']);
  const protocolName =
    protocol === undefined ? undefined : names.resolve(protocol, [...path, 'when', 'protocol']);
  const group = groups.find(({ name }) => name === listener);
  const known = [...shape.listenerNames, ...groups.map(({ name }) => name)];
  if (listener !== undefined && !known.includes(listener)) {
    const message = `unknown listener \`${listener}\`${suggest(listener, known)}`;
    report.problem([...path, 'when', 'listener'], message);
  }
  if (protocolName !== null) {
    const asked = { protocol: protocolName, mayBeProxied: mayBeProxied(groups, listener) };
    checkFacts(rest, asked, [...path, 'when'], report);
  }
  if (to === null || protocolName === null) return [];
  const listeners = listener === undefined ? [undefined] : (group?.listeners.map(({ name }) => name) ?? []);
  return listeners.map((name) => ({
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
