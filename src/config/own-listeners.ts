/** Which of our listeners an address of this machine leads to: a session that is sent there comes back. */
import { isIP, isIPv4 } from 'node:net';
import type {
  Config,
  Discovery,
  EndpointConfig,
  ListenAddress,
  ListenerConfig,
  UpstreamConfig,
} from '../model/config.js';
import { hopText } from '../via/url.js';

type Inet = Extract<ListenAddress, { kind: 'inet' }>;

/** Whether a connection to this address of the machine, at its port, is for the listener. */
export function takes({ host, text, ipv6Only = false }: Inet, address: string): boolean {
  if (host === address) return true;
  if (host === '0.0.0.0') return isIPv4(address);
  return host === '::' && !(isIPv4(address) && ipv6Only && text.startsWith('['));
}

/** `machine`: addresses of its interfaces. */
export function isLocal(host: string, machine: readonly string[]): boolean {
  return host.startsWith('127.') || host === '::1' || machine.includes(host);
}

export function ownListener(
  listeners: readonly ListenerConfig[],
  machine: readonly string[],
  { host, port }: { readonly host: string; readonly port: number },
): ListenerConfig | undefined {
  if (!isLocal(host, machine)) return undefined;
  return listeners.find(
    ({ address }) => address.kind === 'inet' && address.port === port && takes(address, host),
  );
}

/** What connections are opened to: the endpoints, or the first proxy on the way to them. */
export function dialledBy({
  endpoints,
  via,
}: Pick<UpstreamConfig, 'endpoints' | 'via'>): readonly Pick<EndpointConfig, 'name' | 'address'>[] {
  const first = via?.hops[0];
  return first === undefined ? endpoints : [{ name: hopText(first), address: first }];
}

export interface Loop {
  readonly upstream: string;
  /** Name and port. */
  readonly endpoint: string;
  readonly address: string;
  readonly listener: string;
}

/** Addresses that names have now, and that are ours. */
export function loopsOf({ upstreams, listeners }: Config, discovery: Discovery): Loop[] {
  const { hosts, machine = [] } = discovery;
  const loops: Loop[] = [];
  for (const { name: upstream, ...rest } of upstreams) {
    const dialled = dialledBy(rest).flatMap(({ address }) => placesOf(address, discovery));
    for (const { host, port } of dialled) {
      if (isIP(host) !== 0) continue;
      for (const address of hosts.get(host)?.value ?? []) {
        const own = ownListener(listeners, machine, { host: address, port });
        if (own !== undefined)
          loops.push({ upstream, endpoint: `${host}:${port}`, address, listener: own.name });
      }
    }
  }
  return loops;
}

export interface Place {
  readonly host: string;
  readonly port: number;
}

/** Hosts and ports of an endpoint, or those that the name of a service stands for now. */
export function placesOf(address: EndpointConfig['address'], { services }: Discovery): readonly Place[] {
  if ('path' in address) return [];
  return 'service' in address ? (services.get(address.service)?.value ?? []) : [address];
}
