/** Who listens on an address already, as far as /proc tells this user. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import type { ListenAddress } from '../model/config.js';
import type { Transport } from '../model/protocol.js';

/** Descriptors of other processes that are looked at. */
const DESCRIPTORS_MAX = 20_000;

/** State in /proc/net/tcp and /proc/net/udp: TCP_LISTEN, and TCP_CLOSE for what is not connected. */
const waiting: Readonly<Record<Transport, string>> = { tcp: '0A', udp: '07' };

interface Held {
  readonly inode: string;
  readonly uid: string | null;
}

/** `nginx (pid 812)`, `a process of user 33`; null: not known. */
export function occupantOf(address: ListenAddress, transport: Transport = 'tcp'): string | null {
  const held = address.kind === 'unix' ? heldPath(address.path) : heldPort(address, transport);
  const [first] = held;
  if (first === undefined) return null;
  const pid = processWith(new Set(held.map(({ inode }) => `socket:[${inode}]`)));
  if (pid === process.pid) return 'this process';
  if (pid !== null) return `${nameOf(pid)} (pid ${pid})`;
  return first.uid === null ? null : `a process of user ${first.uid}`;
}

function heldPort({ host, port }: { host: string; port: number }, transport: Transport): Held[] {
  const wanted = hexOf(host);
  return [transport, `${transport}6`]
    .flatMap((table) => linesOf(`/proc/net/${table}`))
    .flatMap(([, local = '', , state, , , , uid = '', , inode = '']) => {
      const [at = '', hexPort = ''] = local.split(':');
      if (state !== waiting[transport] || Number.parseInt(hexPort, 16) !== port) return [];
      return wanted === null || isAny(at) || at === wanted ? [{ inode, uid }] : [];
    });
}

/** Abstract names are shown with `@`, too. */
const heldPath = (path: string): Held[] =>
  linesOf('/proc/net/unix').flatMap(([, , , , , , inode = '', ...rest]) =>
    rest.join(' ') === path ? [{ inode, uid: null }] : [],
  );

const linesOf = (file: string): string[][] =>
  textOf(file)
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/));

const isAny = (hex: string): boolean => /^0+$/.test(hex);

/** An address as the table has it, in words of the machine's (little-endian) order; null: any, or not known. */
function hexOf(host: string): string | null {
  if (isIPv6(host)) {
    if (host === '::1') return `${'0'.repeat(24)}01000000`;
    return null;
  }
  const bytes = host.split('.').map(Number);
  const hex = bytes
    .toReversed()
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('')
    .toUpperCase();
  return isAny(hex) ? null : hex;
}

function processWith(links: ReadonlySet<string>): number | null {
  let left = DESCRIPTORS_MAX;
  for (const pid of namesIn('/proc').filter((name) => /^\d+$/.test(name))) {
    for (const fd of namesIn(`/proc/${pid}/fd`)) {
      if (links.has(linkOf(`/proc/${pid}/fd/${fd}`))) return Number(pid);
      left -= 1;
      if (left === 0) return null;
    }
  }
  return null;
}

/** At most 15 bytes (comm), without what a terminal would take for a command. */
const nameOf = (pid: number): string =>
  textOf(`/proc/${pid}/comm`)
    .trim()
    .replace(/[^\x20-\x7e]/g, '?') || 'a process';

const textOf = (file: string): string => tried(() => readFileSync(file, 'utf8')) ?? '';
const namesIn = (folder: string): string[] => tried(() => readdirSync(folder)) ?? [];
const linkOf = (path: string): string => tried(() => readlinkSync(path)) ?? '';

/** Others' processes are not for every user, and any may have ended. */
function tried<Result>(read: () => Result): Result | null {
  try {
    return read();
  } catch {
    return null;
  }
}
