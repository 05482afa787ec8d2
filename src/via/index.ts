/** The conversation that leads through proxies to an endpoint. Pure; who sends and reads is the caller's matter. */
import assert from 'node:assert/strict';
import { parseEndpoint } from '../base/address.js';
import type { Ask } from '../model/facts.js';
import type { Hop, HopScheme } from '../model/via.js';
import { type Asking, type Place, placeText } from './hop.js';
import { askByConnect } from './http-connect.js';
import { askBySocks4a } from './socks4a.js';
import { askBySocks5 } from './socks5.js';

export type { Place } from './hop.js';

const askings: Readonly<Record<HopScheme, Asking>> = {
  http: askByConnect,
  https: askByConnect,
  socks5: askBySocks5,
  socks4a: askBySocks4a,
};

/** In order: each proxy is asked for the next one, and the last for the endpoint. */
export function asksThrough(hops: readonly Hop[], endpoint: Place): readonly Ask[] {
  return hops.flatMap((hop, index) => {
    const next = hops[index + 1];
    const proxy = placeText(hop);
    const asks = askings[hop.scheme](hop, next ?? endpoint);
    // The next proxy, where it can not be reached, is not the endpoint.
    return asks.map(
      (ask): Ask => (next === undefined ? { ...ask, proxy } : { ...ask, proxy, blames: 'proxy' }),
    );
  });
}

/** Of an endpoint behind proxies, which is always a host and a port. */
export function placeOf(endpoint: string): Place {
  const place = parseEndpoint(endpoint);
  assert(place !== null && 'host' in place, 'an endpoint behind a proxy has no port');
  return place;
}

/** What went wrong, and where on the way. */
export const placed = ({ proxy }: Pick<Ask, 'proxy'>, why: string): string =>
  proxy === undefined ? why : `via ${proxy}: ${why}`;
