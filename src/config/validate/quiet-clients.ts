/**
 * gRPC clients that say nothing behind their SETTINGS before the server's are there: what they speak is settled by that
 * silence, and their host never is. A route that asks for it keeps them waiting, and then they are refused.
 */
import type { ListenerConfig } from '../../model/config.js';
import type { Warn } from '../report.js';
import type { Reachability, ReachableRoute } from './reachability.js';

export function warnOfQuietClients(reachability: Reachability, warn: Warn): void {
  const listeners = reachability.groups.flatMap((group) => group.listeners);
  const asked = new Map(
    listeners.flatMap((listener) => {
      const name = nameOfQuiet(reachability, listener);
      const route = name === null ? undefined : firstThatWaits(reachability, listener, name);
      return route === undefined ? [] : [[route, name]];
    }),
  );
  for (const [{ path }, name] of asked) {
    warn(
      [...path, 'when', 'host'],
      `gRPC clients that wait for the server's SETTINGS (most do) say no host before, and are refused by this: ` +
        `name another \`protocol\` here, or put a route for \`${name}\` before it`,
    );
  }
}

/** What such a client is here; null where gRPC is not expected. */
function nameOfQuiet({ nameOf }: Reachability, { protocols }: ListenerConfig): string | null {
  const accepted = (id: string) => protocols.find((name) => name === nameOf(id)) ?? null;
  return accepted('grpc') && (accepted('http2') ?? accepted('grpc'));
}

/** The first route that is asked about its sessions, where that asks for their host. */
function firstThatWaits(
  { routes, accepts }: Reachability,
  listener: ListenerConfig,
  name: string,
): ReachableRoute | undefined {
  const settling = routes.find(
    (route) =>
      (route.when.protocol ?? name) === name &&
      accepts(route, listener) &&
      (route.when.host !== undefined || isForAll(route)),
  );
  return settling?.when.host === undefined ? undefined : settling;
}

const CERTAIN = ['protocol', 'listener'];

const isForAll = ({ when }: ReachableRoute): boolean =>
  Object.entries(when).every(([key, value]) => value === undefined || CERTAIN.includes(key));
