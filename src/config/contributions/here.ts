/** Where a fragment leads to this machine itself: what listens only here has been meant for nobody else. */
import { isIP } from 'node:net';
import { hostPort, parseDestination } from '../../base/address.js';
import { isOwnHost } from '../../base/own-host.js';
import { readHop } from '../../via/url.js';
import { findAll, type Path } from '../path.js';
import type { Unreadable } from '../source.js';

/** Of the operator, for all fragments of a provider. */
export interface Permission {
  /** `docker.allow_loopback` */
  readonly key: string;
  readonly isGiven: boolean;
}

/** Unix sockets are refused even where loopback addresses are not. */
export const leadsHere = (fragment: unknown, { key, isGiven }: Permission): Unreadable[] =>
  [...addressesIn(fragment), ...hopsIn(fragment), ...listensIn(fragment)].flatMap(({ path, address }) => {
    if (address.startsWith(UNIX)) return [{ path, message: SOCKETS }];
    const host = isGiven ? null : hostOf(address);
    if (host === null || !isOwnHost(host)) return [];
    const cure = `set \`${key}\` in the file if fragments may do that`;
    return [{ path, message: `\`${host}\` leads to this machine itself: ${cure}` }];
  });

const UNIX = 'unix:';
const SOCKETS = 'names a socket of this machine, which the file of the configuration alone may do';

interface Place {
  readonly path: Path;
  readonly address: string;
}

/** Endpoints, and what is asked in their place. Some may stand in one text, with commas. */
const addressesIn = (fragment: unknown): Place[] =>
  ADDRESSES.flatMap((pattern) => findAll(fragment, pattern)).flatMap(({ path, value }) =>
    typeof value === 'string' ? value.split(',').map((each) => ({ path, address: each.trim() })) : [],
  );

const TARGETS = ['protocols.[].target', 'forwards.[].target'];

const ADDRESSES = [
  ...TARGETS.flatMap((target) => [target, `${target}.[]`, `${target}.[].address`]),
  ...['upstreams.*', ...TARGETS].flatMap((owner) =>
    ['endpoints.[]', 'endpoints.[].address', 'health_check.address'].map((key) => `${owner}.${key}`),
  ),
];

/** Proxies on the way to endpoints. */
const hopsIn = (fragment: unknown): Place[] =>
  HOPS.flatMap((pattern) => findAll(fragment, pattern)).flatMap(({ path, value }) => {
    const read = typeof value === 'string' ? readHop(value) : null;
    if (read === null || 'fault' in read) return [];
    const { host, port } = read.hop;
    return [{ path, address: hostPort(host, port) }];
  });

const HOPS = ['upstreams.*', ...TARGETS].flatMap((owner) =>
  ['via', 'via.url', 'via.[]', 'via.[].url'].map((key) => `${owner}.${key}`),
);

/** A socket file would be made, or another one replaced. */
const listensIn = (fragment: unknown): Place[] =>
  findAll(fragment, 'forwards.[].listen').flatMap(({ path, value }) =>
    typeof value === 'string' && value.startsWith(UNIX) ? [{ path, address: value }] : [],
  );

/** Null: it is no host, or wrong, which the schema says. */
function hostOf(address: string): string | null {
  if (isIP(address) !== 0) return address;
  const to = parseDestination(address);
  if (to === null) return null;
  if (to.kind === 'ports') return to.host;
  return 'host' in to.endpoint ? to.endpoint.host : null;
}
