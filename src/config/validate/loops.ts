/** Addresses of our own: endpoints that are our listeners, monitoring ports that are also listeners'. */
import { isIP } from 'node:net';
import { parseEndpoint } from '../../base/address.js';
import type { Config, ListenAddress, ListenerConfig, UpstreamConfig } from '../../model/config.js';
import { takesStreams } from '../../model/transports.js';
import { isLocal, takes } from '../own-listeners.js';
import type { Path } from '../path.js';
import type { Warn } from '../report.js';
import type { UpstreamEntry } from '../schema/upstreams.js';
import type { Context } from './context.js';
import type { Shape } from './shape.js';
import { meet } from './sockets.js';

type EndpointAddress = UpstreamConfig['endpoints'][number]['address'];
type KnownAddress = Exclude<EndpointAddress, { service: string }>;

export function warnOfLoops(shape: Shape, { listeners }: Config, context: Context, warn: Warn): void {
  const byPort = new Map<number | string, ListenerConfig[]>();
  for (const listener of listeners) {
    const { address } = listener;
    const key = address.kind === 'unix' ? address.path : address.port;
    byPort.set(key, [...(byPort.get(key) ?? []), listener]);
  }
  for (const { path, name, address } of endpointsOf(shape)) {
    if ('service' in address) continue;
    const candidates = byPort.get('path' in address ? address.path : address.port) ?? [];
    const own = candidates.find((listener) => leadsTo(address, listener.address, context));
    if (own === undefined) continue;
    const text = own.name === own.address.text ? '' : ` (${own.address.text})`;
    const what =
      'host' in address && isIP(address.host) === 0
        ? 'that address of it is left out'
        : 'a session that is sent there comes back, and one client may fill max_connections';
    warn(path, `\`${name}\` is our own listener \`${own.name}\`${text}: ${what}`);
  }
}

interface WrittenEndpoint {
  readonly path: Path;
  readonly name: string;
  readonly address: EndpointAddress;
}

function endpointsOf({ upstreams, protocols }: Shape): WrittenEndpoint[] {
  const declared = upstreams.flatMap(({ path, value }) => listed(value.endpoints, [...path, 'endpoints']));
  const own = protocols.flatMap(({ path: protocol, value: { target = '' } }): WrittenEndpoint[] => {
    const path = [...protocol, 'target'];
    if (Array.isArray(target)) return listed(target, path);
    if (typeof target !== 'string') return listed(target.endpoints, [...path, 'endpoints']);
    return target.split(',').flatMap((text): WrittenEndpoint[] => {
      const address = parseEndpoint(text.trim());
      return address === null ? [] : [{ path, name: text.trim(), address }];
    });
  });
  return [...declared, ...own];
}

function listed(endpoints: UpstreamEntry['endpoints'], path: Path): WrittenEndpoint[] {
  return (endpoints ?? []).map(({ address: { name, address } }, index) => ({
    path: [...path, index],
    name,
    address,
  }));
}

/** Port or path are known to be equal. */
function leadsTo(endpoint: KnownAddress, listener: ListenAddress, context: Context): boolean {
  if ('path' in endpoint || listener.kind === 'unix') return 'path' in endpoint && listener.kind === 'unix';
  return localAddresses(endpoint.host, context).some((host) => takes(listener, host));
}

/** The addresses of this machine that `host` stands for, without name look-ups. */
function localAddresses(host: string, { addresses, hostName }: Context): readonly string[] {
  if (host === 'localhost') return ['127.0.0.1', '::1'];
  if (host === hostName) return addresses;
  if (host === '0.0.0.0') return ['127.0.0.1'];
  if (host === '::') return ['::1'];
  return isLocal(host, addresses) ? [host] : [];
}

export function warnOfMonitoringPorts({ monitoring, listeners }: Config, warn: Warn): void {
  for (const [site, key] of [
    [monitoring.metrics, 'metrics_port'],
    [monitoring.health, 'health_check_port'],
  ] as const) {
    if (site === null) continue;
    const { host, port } = site;
    const address = { kind: 'inet', host, port, text: host === '::' ? `:${port}` : host } as const;
    const other = listeners.find(
      (listener) =>
        takesStreams(listener) && hasPort(listener.address, port) && meet(listener.address, address),
    );
    if (other)
      warn(['monitoring', key], `${port} is the port of listener \`${other.name}\` too: take another one`);
  }
}

const hasPort = (address: ListenAddress, port: number): boolean =>
  address.kind === 'inet' && address.port === port;
