/** Routes: every name must exist, and every fact must be possible. */
import type { RouteConfig } from '../../model/config.js';
import type { Conditions } from '../../model/plan.js';
import { withExcluded } from '../../routing/conditions/index.js';
import { compact, type OneOrMore, valuesOf } from '../../routing/values.js';
import { type Path, pathText } from '../path.js';
import type { Report } from '../report.js';
import type { ExcludedEntry, RouteEntry } from '../schema/routes.js';
import { suggest } from '../suggest.js';
import { isForward, type ListenerGroup } from './groups.js';
import type { ProtocolNames } from './protocols.js';
import { type AskedOf, checkFacts } from './route-facts.js';
import type { Entry, Shape } from './shape.js';
import type { Targets } from './targets.js';

export function resolveRoutes(
  shape: Shape,
  groups: readonly ListenerGroup[],
  names: ProtocolNames,
  targets: Targets,
  report: Report,
): RouteConfig[] {
  const asking = groups.filter((group) => !isForward(group));
  const byName = new Map(asking.map((group) => [group.name, group]));
  const known = [...new Set([...shape.listenerNames, ...byName.keys()])];
  const resolve: Listeners['resolve'] = (name, path) => {
    const group = byName.get(name);
    if (group !== undefined) return group;
    if (groups.some((other) => isForward(other) && other.name === name)) {
      report.problem(
        path,
        `\`${name}\` is a forward, whose sessions take no routes: make it one of \`listeners\``,
      );
      return null;
    }
    if (!known.includes(name)) report.problem(path, `unknown listener \`${name}\`${suggest(name, known)}`);
    return null;
  };
  return shape.routes.flatMap(
    (entry) => resolveRoute(entry, { groups: asking, resolve }, names, targets, report) ?? [],
  );
}

interface Listeners {
  readonly groups: readonly ListenerGroup[];
  /** Null when it is malformed or not there; the latter is reported. */
  resolve(name: string, path: Path): ListenerGroup | null;
}

/** Null when it is for protocols alone that are not recognised yet, or when it is wrong (reported). */
function resolveRoute(
  { path, value }: Entry<RouteEntry>,
  listeners: Listeners,
  names: ProtocolNames,
  targets: Targets,
  report: Report,
): RouteConfig | null {
  const { not, ...own } = value.when;
  const at: Path = [...path, 'when'];
  const to = targets.resolve(value.to, [...path, 'to']);
  const when = resolveSet(own, at, 'route', listeners, names, report);
  const excluded = valuesOf<ExcludedEntry>(not).flatMap((set, index): readonly Conditions[] => {
    const within = Array.isArray(not) ? [...at, 'not', index] : [...at, 'not'];
    // A set that holds nowhere excludes nothing.
    const resolved = resolveSet(set, within, 'set', listeners, names, report);
    return resolved === null ? [] : [resolved];
  });
  if (to === null || when === null) return null;
  return { name: pathText(path), when: withExcluded(when, excluded), to };
}

/** Null when it can hold nowhere: for protocols alone that are not recognised yet, or wrong (reported). */
function resolveSet(
  { protocol, listener, ...rest }: ExcludedEntry,
  path: Path,
  of: AskedOf['of'],
  listeners: Listeners,
  names: ProtocolNames,
  report: Report,
): Conditions | null {
  const protocols =
    protocol === undefined
      ? undefined
      : resolveEach(protocol, [...path, 'protocol'], (name, at) => names.resolve(name, at));
  const named =
    listener === undefined ? undefined : resolveEach(listener, [...path, 'listener'], listeners.resolve);
  const groups = named ?? listeners.groups;
  if (protocols?.length !== 0)
    checkFacts(rest, { protocols, mayBeProxied: groups.some(mayBeProxied), of }, path, report);
  if (protocols?.length === 0 || named?.length === 0) return null;
  const places = named?.flatMap((group) => group.listeners.map(({ name }) => name));
  return present({ ...rest, protocol: protocols, listener: places });
}

/** Those of the names that resolve to something. */
const resolveEach = <Found>(
  names: OneOrMore<string>,
  path: Path,
  resolve: (name: string, path: Path) => Found | null,
): Found[] =>
  valuesOf(names).flatMap(
    (name, index) => resolve(name, Array.isArray(names) ? [...path, index] : path) ?? [],
  );

/** Whether its sessions may have a PROXY header. */
const mayBeProxied = ({ listeners }: ListenerGroup): boolean =>
  listeners.some(({ proxyProtocol }) => proxyProtocol !== null);

/** Drops keys with the value undefined; a list of one is that one. */
const present = (when: Conditions): Conditions =>
  Object.fromEntries(
    Object.entries(when).flatMap(([key, value]) =>
      value === undefined ? [] : [[key, compact(valuesOf(value))]],
    ),
  );
