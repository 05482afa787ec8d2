/** Addresses of our own: endpoints that are our listeners, monitoring ports that are also listeners'. */
import { isIP } from 'node:net';
import { parseEndpoint } from '../../base/address.js';
import type {
  Config,
  ListenAddress,
  ListenerConfig,
  MonitoringConfig,
  UpstreamConfig,
} from '../../model/config.js';
import type { Transport } from '../../model/protocol.js';
import { socketTransportsOf, takesConnections } from '../../model/transports.js';
import { hopText } from '../../via/url.js';
import { isLocal, takes } from '../own-listeners.js';
import type { Path } from '../path.js';
import type { Warn } from '../report.js';
import type { UpstreamEntry } from '../schema/upstreams.js';
import type { Context } from './context.js';
import type { Shape } from './shape.js';
import { meet } from './sockets.js';

type EndpointAddress = UpstreamConfig['endpoints'][number]['address'];
type KnownAddress = Exclude<EndpointAddress, { service: string }>;

/** The listener that takes what is sent to an address, over this transport or over any, as far as is known without name look-ups. */
export type OwnListeners = (address: EndpointAddress, over?: Transport) => ListenerConfig | undefined;

export function ownListeners(listeners: readonly ListenerConfig[], context: Context): OwnListeners {
  const byPort = new Map<number | string, ListenerConfig[]>();
  for (const listener of listeners) {
    const { address } = listener;
    const key = address.kind === 'unix' ? address.path : address.port;
    byPort.set(key, [...(byPort.get(key) ?? []), listener]);
  }
  return (address, over) => {
    if ('service' in address) return undefined;
    const candidates = byPort.get('path' in address ? address.path : address.port) ?? [];
    return candidates
      .filter((listener) => over === undefined || socketTransportsOf(listener).includes(over))
      .find((listener) => leadsTo(address, listener.address, context));
  };
}

export function warnOfLoops(shape: Shape, { listeners }: Config, context: Context, warn: Warn): void {
  const ownAt = ownListeners(listeners, context);
  for (const { path, name, address } of endpointsOf(shape)) {
    const own = ownAt(address);
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
  const declared = upstreams.flatMap(({ path, value }) => dialled(value, path));
  const own = protocols.flatMap(({ path: protocol, value: { target = '' } }): WrittenEndpoint[] => {
    const path = [...protocol, 'target'];
    if (Array.isArray(target)) return listed(target, path);
    if (typeof target !== 'string') return dialled(target, path);
    return target.split(',').flatMap((text): WrittenEndpoint[] => {
      const address = parseEndpoint(text.trim());
      return address === null ? [] : [{ path, name: text.trim(), address }];
    });
  });
  return [...declared, ...own];
}

/** Endpoints behind a proxy are its own matter. */
function dialled(
  { endpoints, via }: Pick<UpstreamEntry, 'endpoints' | 'via'>,
  path: Path,
): WrittenEndpoint[] {
  const first = via?.[0]?.url;
  if (first === undefined) return listed(endpoints, [...path, 'endpoints']);
  return [{ path: [...path, 'via'], name: hopText(first), address: first }];
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
  for (const { key, port, listener } of ownMonitoring(monitoring, listeners))
    warn(['monitoring', key], `${port} is the port of listener \`${listener.name}\` too: take another one`);
}

interface TakenPort {
  readonly key: 'metrics_port' | 'health_check_port';
  readonly port: number;
  /** The first that has it. */
  readonly listener: ListenerConfig;
}

/** Ports of monitoring that listeners have, too. */
export function ownMonitoring(
  monitoring: MonitoringConfig,
  listeners: readonly ListenerConfig[],
): TakenPort[] {
  const sites = [
    ['metrics_port', monitoring.metrics],
    ['health_check_port', monitoring.health],
  ] as const;
  return sites.flatMap(([key, site]): TakenPort[] => {
    if (site === null) return [];
    const { host, port } = site;
    const address = { kind: 'inet', host, port, text: host === '::' ? `:${port}` : host } as const;
    const listener = listeners.find(
      (each) => takesConnections(each) && hasPort(each.address, port) && meet(each.address, address),
    );
    return listener === undefined ? [] : [{ key, port, listener }];
  });
}

const hasPort = (address: ListenAddress, port: number): boolean =>
  address.kind === 'inet' && address.port === port;
