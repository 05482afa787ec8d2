/** Conflicts between listening addresses, and the socket options that follow from the others. */
import { isIPv4 } from 'node:net';
import { isAbstract, type Listen } from '../../base/address.js';
import type { ListenAddress, ListenerConfig } from '../../model/config.js';
import type { Transport } from '../../model/protocol.js';
import { socketTransportsOf } from '../../model/transports.js';
import type { Path } from '../path.js';
import type { Report } from '../report.js';
import type { ListenerGroup } from './groups.js';

type Inet = Extract<ListenAddress, { kind: 'inet' }>;

interface Taken {
  readonly address: ListenAddress;
  readonly path: Path;
}

/** Port 0 is a new port on each bind. */
export const isFixed = (address: ListenAddress): boolean => address.kind === 'unix' || address.port !== 0;

const isEvery = ({ host }: Inet): boolean => host === '0.0.0.0' || host === '::';

/** `:443` is dual-stack whatever else is listed; `[::]:443` depends on the other listeners. */
const isBoth = ({ host, text }: Inet): boolean => host === '::' && !text.startsWith('[');

/** An address may be listed once for streams and once for datagrams. */
export function checkAddresses(groups: readonly ListenerGroup[], report: Report): void {
  const taken = new Map<string, Taken[]>();
  for (const { path, listeners } of groups) {
    for (const listener of listeners.filter(({ address }) => isFixed(address))) {
      const { address } = listener;
      const keys = keysOf(listener);
      const other = keys.flatMap((key) => taken.get(key) ?? []).find((each) => meet(each.address, address));
      if (other !== undefined) report.problem(path, meetingText(address, other, report.nameOf(other.path)));
      for (const key of keys) taken.set(key, [...(taken.get(key) ?? []), { address, path }]);
    }
  }
}

/** What its sockets may meet others on: path, or transport and port. */
function keysOf(listener: ListenerConfig): string[] {
  const { address } = listener;
  if (address.kind === 'unix') return [`unix:${address.path}`];
  return socketTransportsOf(listener).map((transport) => portKey(transport, address.port));
}

export const portKey = (transport: Transport, port: number): string => `${transport} ${port}`;

/** Whether two addresses with the same port or path overlap. */
export function meet(a: ListenAddress, b: ListenAddress): boolean {
  if (a.kind === 'unix' || b.kind === 'unix' || isBoth(a) || isBoth(b)) return true;
  return isIPv4(a.host) === isIPv4(b.host) && (a.host === b.host || isEvery(a) || isEvery(b));
}

/** `by`: the other's name. */
function meetingText(address: ListenAddress, other: Taken, by: string): string {
  const [text, otherText] = [address.text, other.address.text];
  const isSame = breadth(address) === breadth(other.address);
  if (isSame)
    return `\`${text}\` is taken already, by ${by}${text === otherText ? '' : ` as \`${otherText}\``}`;
  const [wide, narrow] = breadth(address) > breadth(other.address) ? [text, otherText] : [otherText, text];
  return `\`${wide}\` takes the clients of \`${narrow}\` too (the other is listed by ${by}): leave one out`;
}

/** 0: one address; 1: all of a family; 2: dual-stack. */
function breadth(address: ListenAddress): number {
  if (address.kind === 'unix' || !isEvery(address)) return 0;
  return isBoth(address) ? 2 : 1;
}

/**
 * `[::]` is dual-stack unless another listener of one of its transports has an IPv4 address with its port; then
 * IPV6_V6ONLY.
 */
export function withFamilies(groups: readonly ListenerGroup[]): ListenerGroup[] {
  const listeners = groups.flatMap((group) => group.listeners);
  const ipv4 = new Set(
    listeners.flatMap((listener) =>
      listener.address.kind === 'inet' && listener.address.port !== 0 && isIPv4(listener.address.host)
        ? keysOf(listener)
        : [],
    ),
  );
  const narrowed = (listener: ListenerConfig): ListenerConfig => {
    const { address } = listener;
    return address.kind === 'inet' && address.host === '::' && keysOf(listener).some((key) => ipv4.has(key))
      ? { ...listener, address: { ...address, ipv6Only: true } }
      : listener;
  };
  return groups.map((group) => ({ ...group, listeners: group.listeners.map(narrowed) }));
}

/** Default mode: owner and group may connect. */
const MODE = 0o660;

export function withMode(address: Listen, mode = MODE): ListenAddress {
  return address.kind === 'unix' ? { ...address, mode } : address;
}

export const hasFile = (address: Listen): boolean => address.kind === 'unix' && !isAbstract(address.path);
