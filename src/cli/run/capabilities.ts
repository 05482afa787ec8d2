/** Capabilities (capabilities(7)) that a configuration takes. Masks have a bit for each, by its number. */
import { readFileSync } from 'node:fs';
import type { Config, ListenAddress } from '../../model/config.js';

const numbers = {
  CAP_DAC_OVERRIDE: 1,
  CAP_FOWNER: 3,
  CAP_SETGID: 6,
  CAP_SETUID: 7,
  CAP_NET_BIND_SERVICE: 10,
  CAP_NET_ADMIN: 12,
  CAP_NET_RAW: 13,
} as const;

export type Capability = keyof typeof numbers;

export const maskOf = (...capabilities: readonly Capability[]): number =>
  capabilities.reduce((mask, capability) => mask | (1 << numbers[capability]), 0);

/** Those of a mask that have a name here. */
export const namesOf = (mask: number): Capability[] =>
  (Object.keys(numbers) as Capability[]).filter((name) => (mask & (1 << numbers[name])) !== 0);

/** What this kernel lets everybody do. */
export interface Permissive {
  /** Ports from here on. */
  readonly firstPort: number;
  /** Congestion controls. */
  readonly congestion: readonly string[];
}

export function readPermissive(): Permissive {
  const port = Number.parseInt(setting('net/ipv4/ip_unprivileged_port_start'), 10);
  return {
    firstPort: Number.isNaN(port) ? 1024 : port,
    congestion: setting('net/ipv4/tcp_allowed_congestion_control').split(/\s+/),
  };
}

function setting(name: string): string {
  try {
    return readFileSync(`/proc/sys/${name}`, 'utf8');
  } catch {
    return '';
  }
}

/** For as long as it serves: sockets that a reload opens, and those of sessions. */
export function neededFor(config: Config, { firstPort, congestion }: Permissive): number {
  const options = config.upstreams.map(({ options }) => options);
  const isLow = (port: number) => port > 0 && port < firstPort;
  const binds = portsOf(config).some(isLow);
  // An interface may be named by everybody since Linux 5.7.
  const chooses = options.some(({ source }) => source.transparent || source.interface !== '');
  const congests = options.some(({ tcp }) => tcp.congestion !== '' && !congestion.includes(tcp.congestion));
  return (
    (binds ? maskOf('CAP_NET_BIND_SERVICE') : 0) |
    (chooses ? maskOf('CAP_NET_RAW') : 0) |
    (congests ? maskOf('CAP_NET_ADMIN') : 0)
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
