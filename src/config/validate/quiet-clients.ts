/**
 * gRPC clients that send nothing after SETTINGS until the server's SETTINGS arrive: a silence identifies them, but
 * their host and path stay unknown. A route with a condition on one keeps them waiting until they are refused.
 */
import type { ListenerConfig } from '../../model/config.js';
import { excludedBy, factsAsked, readsPlaceAlone } from '../../routing/conditions/index.js';
import type { Warn } from '../report.js';
import type { Reachability, ReachableRoute } from './reachability.js';

export function warnOfQuietClients(reachability: Reachability, warn: Warn): void {
  const asking = reachability.routes.map(askedOf);
  const listeners = reachability.groups.flatMap((group) => group.listeners);
  const asked = new Map(
    listeners.flatMap((listener) => {
      const name = nameOfQuiet(reachability, listener);
      const found = name === null ? undefined : firstThatSettles(reachability, asking, listener, name);
      return found?.condition === undefined ? [] : [[found, name]];
    }),
  );
  for (const [{ route, condition }, name] of asked) {
    warn(
      [...route.path, 'when', condition as string],
      `gRPC clients that wait for the server's SETTINGS (most do) say no ${condition} before, and are refused by this: ` +
        `name another \`protocol\` here, or put a route for \`${name}\` before it`,
    );
  }
}

interface Asking {
  readonly route: ReachableRoute;
  /** The condition on host or path, if any. */
  readonly condition: string | undefined;
  /** Takes such a session or keeps it waiting. */
  readonly settles: boolean;
}

const saidInRequests = ['host', 'path'];

function askedOf(route: ReachableRoute): Asking {
  const asked = [route.when, ...excludedBy(route.when)].flatMap(factsAsked);
  const condition = asked.find(({ key }) => saidInRequests.includes(key.fact))?.condition;
  return { route, condition, settles: condition !== undefined || readsPlaceAlone(route.when) };
}

/** The protocol by which the listener identifies such a client; null when it does not accept gRPC. */
function nameOfQuiet({ nameOf }: Reachability, { protocols }: ListenerConfig): string | null {
  const accepted = (id: string) => protocols.find((name) => name === nameOf(id)) ?? null;
  return accepted('grpc') && (accepted('http2') ?? accepted('grpc'));
}

const firstThatSettles = (
  { accepts }: Reachability,
  asking: readonly Asking[],
  listener: ListenerConfig,
  name: string,
): Asking | undefined =>
  asking.find(
    ({ route, settles }) => settles && (route.protocols?.includes(name) ?? true) && accepts(route, listener),
  );
