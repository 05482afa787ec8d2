/** Capabilities that a configuration takes, as masks. */
import { readFileSync } from 'node:fs';
import { release } from 'node:os';
import { maskOf } from '../../base/capabilities.js';
import type { Config, ListenAddress } from '../../model/config.js';
import { mayEndBy } from '../../model/endings.js';

/** What this kernel lets everybody do. */
export interface Permissive {
  /** Ports from here on. */
  readonly firstPort: number;
  /** Congestion controls. */
  readonly congestion: readonly string[];
  /** SO_BINDTODEVICE: since Linux 5.7. */
  readonly interfaces: boolean;
}

export function readPermissive(): Permissive {
  const port = Number.parseInt(setting('net/ipv4/ip_unprivileged_port_start'), 10);
  return {
    firstPort: Number.isNaN(port) ? 1024 : port,
    congestion: setting('net/ipv4/tcp_allowed_congestion_control').split(/\s+/),
    interfaces: isFrom(release(), 5, 7),
  };
}

function isFrom(kernel: string, major: number, minor: number): boolean {
  const [has = 0, hasMinor = 0] = kernel.split('.').map((part) => Number.parseInt(part, 10));
  return has > major || (has === major && hasMinor >= minor);
}

function setting(name: string): string {
  try {
    return readFileSync(`/proc/sys/${name}`, 'utf8');
  } catch {
    return '';
  }
}

/** For as long as it serves: sockets that a reload opens, and those of sessions. */
export function neededFor(config: Config, { firstPort, congestion, interfaces }: Permissive): number {
  const options = config.upstreams.map(({ options }) => options);
  const isLow = (port: number) => port > 0 && port < firstPort;
  const binds = portsOf(config).some(isLow);
  const chooses = options.some(
    ({ source }) => source.transparent || (source.interface !== '' && !interfaces),
  );
  const congests = options.some(({ tcp }) => tcp.congestion !== '' && !congestion.includes(tcp.congestion));
  // A dropped connection is forgotten by TCP_REPAIR.
  return (
    (binds ? maskOf('CAP_NET_BIND_SERVICE') : 0) |
    (chooses ? maskOf('CAP_NET_RAW') : 0) |
    (congests || mayEndBy(config, 'drop') ? maskOf('CAP_NET_ADMIN') : 0)
  );
}

/** Until everything is bound: socket files in folders of root, and stale ones there. */
export const neededToBind = (config: Config): number =>
  addressesOf(config).some(({ kind }) => kind === 'unix') ? maskOf('CAP_DAC_OVERRIDE', 'CAP_FOWNER') : 0;

const addressesOf = ({ listeners, admin }: Config): ListenAddress[] => [
  ...listeners.map(({ address }) => address),
  ...(admin ? [admin.address] : []),
];

const portsOf = (config: Config): number[] => [
  ...addressesOf(config).flatMap((address) => (address.kind === 'inet' ? address.port : [])),
  ...[config.monitoring.metrics, config.monitoring.health].flatMap((site) => site?.port ?? []),
];
