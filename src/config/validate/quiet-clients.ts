/**
 * gRPC clients that say nothing behind their SETTINGS before the server's are there: what they speak is settled by that
 * silence, and their host never is. A route that asks for it keeps them waiting, and then they are refused.
 */
import type { ListenerConfig } from '../../model/config.js';
import { factsAsked, readsPlaceAlone } from '../../routing/conditions/index.js';
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
      `gRPC clients that wait for the server's SETTINGS (most do) say no host before, and are refused by this: ` +
        `name another \`protocol\` here, or put a route for \`${name}\` before it`,
    );
  }
}

interface Asking {
  readonly route: ReachableRoute;
  /** Which of its conditions asks for the host. */
  readonly condition: string | undefined;
  /** It takes such a session, or keeps it waiting. */
  readonly settles: boolean;
}

function askedOf(route: ReachableRoute): Asking {
  const condition = factsAsked(route.when).find(({ key }) => key.fact === 'host')?.condition;
  return { route, condition, settles: condition !== undefined || readsPlaceAlone(route.when) };
}

/** What such a client is here; null where gRPC is not expected. */
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
    ({ route, settles }) => settles && (route.when.protocol ?? name) === name && accepts(route, listener),
  );
