/** Conflicts between listening addresses, and the socket options that follow from the others. */
import { isIPv4 } from 'node:net';
import { isAbstract, type Listen } from '../../base/address.js';
import type { ListenAddress } from '../../model/config.js';
import type { Path } from '../path.js';
import type { Report } from '../report.js';
import type { ListenerGroup } from './listeners.js';

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

export function checkAddresses(groups: readonly ListenerGroup[], report: Report): void {
  const taken = new Map<string, Taken[]>();
  for (const { path, listeners } of groups) {
    for (const { address } of listeners.filter((listener) => isFixed(listener.address))) {
      const key = address.kind === 'unix' ? `unix:${address.path}` : String(address.port);
      const others = taken.get(key) ?? [];
      const other = others.find((each) => meet(each.address, address));
      if (other !== undefined) report.problem(path, meetingText(address, other, report.nameOf(other.path)));
      taken.set(key, [...others, { address, path }]);
    }
  }
}

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

/** `[::]` is dual-stack unless another listener has an IPv4 address with its port; then IPV6_V6ONLY. */
export function withFamilies(groups: readonly ListenerGroup[]): ListenerGroup[] {
  const ipv4Ports = new Set<number>();
  for (const { listeners } of groups) {
    for (const { address } of listeners) {
      if (address.kind === 'inet' && address.port !== 0 && isIPv4(address.host)) ipv4Ports.add(address.port);
    }
  }
  const narrowed = (address: ListenAddress): ListenAddress =>
    address.kind === 'inet' && address.host === '::' && ipv4Ports.has(address.port)
      ? { ...address, ipv6Only: true }
      : address;
  return groups.map((group) => ({
    ...group,
    listeners: group.listeners.map((each) => ({ ...each, address: narrowed(each.address) })),
  }));
}

/** Default mode: owner and group may connect. */
const MODE = 0o660;

export function withMode(address: Listen, mode = MODE): ListenAddress {
  return address.kind === 'unix' ? { ...address, mode } : address;
}

export const hasFile = (address: Listen): boolean => address.kind === 'unix' && !isAbstract(address.path);
