/** What is never asked on a listener, because a route takes all of its sessions before the first byte. */
import type { ListenerConfig } from '../../model/config.js';
import { findAll, isMapping, type Path } from '../path.js';
import type { Warn } from '../report.js';
import type { Source } from '../source.js';
import type { Reachability, ReachableRoute } from './reachability.js';

const FOR_WANT_OF_A_ROUTE = ['on_silence', 'on_unknown'];

export function warnOfTakenAtAccept(
  { routes, groups, accepts }: Reachability,
  source: Source,
  warn: Warn,
  nameOf: (path: Path) => string,
): void {
  const taker = (listener: ListenerConfig) => takerOf(routes.filter((route) => accepts(route, listener)));
  for (const { path, value } of findAll(source.value, 'listeners.[]')) {
    const own = groups.find((group) => nameOf(group.path) === nameOf(path))?.listeners ?? [];
    const takers = own.flatMap((listener) => taker(listener) ?? []);
    const [first] = takers;
    if (first === undefined || takers.length < own.length || !isMapping(value)) continue;
    for (const key of FOR_WANT_OF_A_ROUTE.filter((name) => Object.hasOwn(value, name))) {
      const what = `${nameOf(first.path)} takes every session at accept, before a byte is read`;
      warn([...path, key], `can never be reached: ${what}`);
    }
  }
}

const FREE = ['listener'];
const EARLY = [...FREE, 'source', 'time'];

/** The route without any other condition, unless bytes decide about one before it, or where it leads. */
export function takerOf(routes: readonly ReachableRoute[]): ReachableRoute | undefined {
  const awaitsBytes = ({ when, awaitsFacts }: ReachableRoute) => awaitsFacts || !isWithin(when, EARLY);
  const first = routes.find((route) => awaitsBytes(route) || isWithin(route.when, FREE));
  return first && !awaitsBytes(first) ? first : undefined;
}

const isWithin = (when: ReachableRoute['when'], names: readonly string[]): boolean =>
  Object.keys(when).every((name) => names.includes(name));
