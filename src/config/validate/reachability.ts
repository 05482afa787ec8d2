/** Static reachability: which sessions may take which route, from the configuration alone. */
import type { Config, ListenerConfig } from '../../model/config.js';
import type { Conditions } from '../../model/plan.js';
import { excludedBy, withExcluded } from '../../routing/conditions/index.js';
import { valuesOf } from '../../routing/values.js';
import { factsKnownBy } from '../../upstream/known-by.js';
import type { Path } from '../path.js';
import type { ListenerGroup } from './listeners.js';
import type { Shape } from './shape.js';

/** A listed route, or a protocol's own target, which acts as a route behind them. */
export interface ReachableRoute {
  readonly path: Path;
  /** As written, with the configured names of protocols. */
  readonly when: Conditions;
  /** Configured names; null: any. */
  readonly protocols: readonly string[] | null;
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
}

export function createReachability(
  shape: Shape,
  groups: readonly ListenerGroup[],
  { protocols, upstreams }: Config,
): Reachability {
  const nameOf = (written: string) => protocols.find(({ id }) => id === written.toLowerCase())?.name;
  const withNames = (set: Conditions): Conditions =>
    set.protocol === undefined
      ? set
      : { ...set, protocol: valuesOf(set.protocol).flatMap((name) => nameOf(String(name)) ?? []) };
  const named = (when: Conditions): Conditions =>
    withExcluded(withNames(when), excludedBy(when).map(withNames));
  const listed = shape.routes.flatMap(({ path, value: { when, to } }): ReachableRoute[] => {
    const awaitsFacts = upstreams.some(
      ({ name, options }) => name === to && factsKnownBy(options).length > 0,
    );
    if (when.protocol === undefined) return [{ path, when: named(when), protocols: null, awaitsFacts }];
    const protocols = valuesOf(when.protocol).flatMap((name) => nameOf(name) ?? []);
    // Reported in a warning of its own.
    return protocols.length === 0 ? [] : [{ path, when: named(when), protocols, awaitsFacts }];
  });
  const own = shape.protocols.flatMap(({ path, value }): ReachableRoute[] => {
    const key = value.handler === undefined ? 'target' : 'handler';
    const protocol = nameOf(value.name);
    return value[key] === undefined || protocol === undefined
      ? []
      : [{ path: [...path, key], when: { protocol }, protocols: [protocol], awaitsFacts: false }];
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
  return { routes: [...listed, ...own], groups, nameOf, accepts };
}
