/**
 * Upstreams of fragments that may not lead to this machine itself. Addresses are refused where they are written; what names
 * stand for is known only when they are looked up, and may be another thing each time. Pure.
 */
import { isIP } from 'node:net';
import { isOwnHost } from '../base/own-host.js';
import type { Config, Discovery } from '../model/config.js';
import { dialledBy, placesOf } from './own-listeners.js';

/** Names of the upstreams. */
export function guestsIn({
  origins,
  docker,
  distributed,
}: Pick<Config, 'origins' | 'docker' | 'distributed'>): ReadonlySet<string> {
  const barred = [
    ...(docker?.allowLoopback === true ? [] : ['docker: ']),
    ...(distributed?.allowLoopback === true ? [] : ['etcd: ']),
  ];
  const isBarred = (from: string | null) => barred.some((provider) => from?.startsWith(provider) === true);
  return new Set(origins.filter(({ from }) => isBarred(from)).flatMap(({ upstreams }) => upstreams));
}

export interface Astray {
  readonly upstream: string;
  /** Name and port. */
  readonly endpoint: string;
}

/** Whose names lead here now. */
export function astrayIn(config: Config, discovery: Discovery): Astray[] {
  const guests = guestsIn(config);
  const leadsHere = (host: string) => isIP(host) === 0 && discovery.hosts.get(host)?.value.some(isOwnHost);
  return config.upstreams
    .filter(({ name }) => guests.has(name))
    .flatMap(({ name: upstream, ...rest }) =>
      dialledBy(rest)
        .flatMap(({ address }) => placesOf(address, discovery))
        .filter(({ host }) => leadsHere(host))
        .map(({ host, port }) => ({ upstream, endpoint: `${host}:${port}` })),
    );
}
