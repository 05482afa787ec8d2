/** Address families in which endpoints see the client's address as source. */
import { isIPv4, isIPv6 } from 'node:net';
import type { Config } from '../model/config.js';

export type Family = 4 | 6;

/** A host name may stand for both. */
export function transparentFamilies(config: Config): Family[] {
  const hosts = config.upstreams
    .filter(({ options }) => options.source.transparent)
    .flatMap(({ endpoints }) => endpoints.map(({ address }) => ('host' in address ? address.host : '')));
  const families: Family[] = [];
  if (hosts.some((host) => !isIPv6(host))) families.push(4);
  if (hosts.some((host) => !isIPv4(host))) families.push(6);
  return families;
}
