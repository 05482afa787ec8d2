/** Whom and how to ask about an endpoint. Pure. */
import type { SocketAddress } from '../model/address.js';
import type { PlanEndpoint } from '../model/plan.js';
import type { HealthCheckOptions, ProxyProtocolOptions, UpstreamOptions } from '../model/upstream-options.js';
import type { Via } from '../model/via.js';
import { ownProxyHeader } from '../protocols/proxy-writer.js';
import { asksThrough, placeOf } from '../via/index.js';
import { overOf } from './check.js';
import { checkOf } from './checks/index.js';
import type { ProbeTarget } from './prober.js';
import type { Way } from './way.js';

/** Whom to ask: `health_check.address` and `port` stand for those of the endpoint. */
export function targetOf(
  { id, upstream, via }: { readonly id: number; readonly upstream: string; readonly via: Via | null },
  { name: endpoint, addresses }: PlanEndpoint,
  settings: HealthCheckOptions,
  { proxy_protocol: proxy, source }: Pick<UpstreamOptions, 'proxy_protocol' | 'source'>,
): ProbeTarget {
  const host = /^(?:\[([^\]]*)\]|([^:]*)):\d+$/.exec(endpoint);
  return {
    ...{ id, upstream, endpoint, settings },
    addresses: via === null ? askedAddresses(addresses, settings) : addresses,
    way: via === null ? null : wayTo(endpoint, via, settings),
    from: source.address,
    greeting: greetingOf(settings, proxy),
    serverName: endpoint.startsWith('unix:') ? 'localhost' : (host?.[1] ?? host?.[2] ?? endpoint),
  };
}

function wayTo(endpoint: string, { hops, tls }: Via, { address, port }: HealthCheckOptions): Way {
  const own = placeOf(endpoint);
  const place = { host: address ?? own.host, port: port ?? own.port };
  return { asks: asksThrough(hops, place), tls, place };
}

/** Another port or address is another server's, which need not expect a PROXY header. Version 1 has none of datagrams. */
function greetingOf(settings: HealthCheckOptions, proxy: ProxyProtocolOptions): Uint8Array | null {
  const { type, address, port } = settings;
  if (proxy.version === 'off' || address !== undefined || port !== undefined) return null;
  const check = checkOf(type);
  const isUdp = check !== undefined && overOf(check, settings) === 'udp';
  return isUdp && proxy.version === 'v1' ? null : ownProxyHeader(proxy);
}

function askedAddresses(
  addresses: readonly SocketAddress[],
  { address, port }: HealthCheckOptions,
): readonly SocketAddress[] {
  if (address === undefined && port === undefined) return addresses;
  const asked = addresses.map((each): SocketAddress => {
    if ('path' in each) return address === undefined ? each : { host: address, port: port ?? 0 };
    return { host: address ?? each.host, port: port ?? each.port };
  });
  return address === undefined ? asked : asked.slice(0, 1);
}
