/** Process figures from /proc. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { constants } from 'node:os';

/** CPU time of all live threads, user and system, in nanoseconds. */
export function cpuNanoseconds(pid: number): number {
  return readdirSync(`/proc/${pid}/task`)
    .map((thread) => Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]))
    .reduce((sum, nanoseconds) => sum + nanoseconds, 0);
}

/** USER_HZ, 100 on all platforms (proc_pid_stat(5)). */
const NANOSECONDS_IN_TICK = 1e7;

/** CPU time of the process including ended threads; resolution 10 ms. */
export function cpuNanosecondsEver(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
  // `fields` starts at `state`, the third field; utime and stime are the 14th and 15th.
  return (Number(fields[11]) + Number(fields[12])) * NANOSECONDS_IN_TICK;
}

function statusKilobytes(pid: number, key: string): number {
  const line = new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  if (!line) throw new Error(`no ${key} in /proc/${pid}/status`);
  return Number(line[1]);
}

/** Resident memory, in bytes. */
export const residentBytes = (pid: number): number => statusKilobytes(pid, 'VmRSS') * 1024;

/** Resident memory that is not files: heap and stacks, in bytes. */
export const privateBytes = (pid: number): number => statusKilobytes(pid, 'RssAnon') * 1024;

export const openFiles = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length;

/** Whether it has installed a handler for a signal. */
export function catches(pid: number, signal: NodeJS.Signals): boolean {
  const mask = /^SigCgt:\s+([0-9a-f]+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '0';
  return ((BigInt(`0x${mask}`) >> BigInt(constants.signals[signal] - 1)) & 1n) === 1n;
}

const LISTEN = '0A';

/** States of the sockets of an IPv4 port, in hexadecimal (include/net/tcp_states.h), or `listen`. */
export const tcpStates = (port: number): string[] =>
  readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .slice(1)
    .map((row) => row.trim().split(/\s+/))
    .filter(([, local]) => Number.parseInt(local?.split(':')[1] ?? '', 16) === port)
    .map(([, , , state = '']) => (state === LISTEN ? 'listen' : state));

/** Listening TCP sockets on a port, whichever processes have them. */
export const listeningSockets = (port: number): number =>
  tcpStates(port).filter((state) => state === 'listen').length;

/** Bytes in the kernel of established TCP connections over IPv4, from the side that has these ports. */
export interface Queues {
  /** Not acknowledged by the other side's kernel yet: what a reset of this side takes back. */
  readonly unsent: number;
  /** Not read by this side's process yet. */
  readonly unread: number;
}

export function queuesOf(ports: { readonly local?: number; readonly remote?: number }): Queues {
  const ESTABLISHED = '01';
  const hex = (text = ''): number => Number.parseInt(text, 16);
  const isOf = (wanted: number | undefined, address = ''): boolean =>
    wanted === undefined || hex(address.split(':')[1]) === wanted;
  const own = readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .slice(1)
    .map((row) => row.trim().split(/\s+/))
    .filter(
      ([, local, remote, state]) =>
        state === ESTABLISHED && isOf(ports.local, local) && isOf(ports.remote, remote),
    )
    .map(([, , , , queues = '']) => queues.split(':').map(hex));
  const sum = (index: number): number => own.reduce((all, queues) => all + (queues[index] ?? 0), 0);
  return { unsent: sum(0), unread: sum(1) };
}

/** Whether a UDP socket is bound to an IPv4 port, of whichever process. */
export const isBoundUdp = (port: number): boolean =>
  readFileSync('/proc/net/udp', 'utf8')
    .split('\n')
    .slice(1)
    .some((row) => Number.parseInt(row.trim().split(/\s+/)[1]?.split(':')[1] ?? '', 16) === port);

/** Its child processes, oldest first. */
export const childrenOf = (pid: number): number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);

export const hasOpen = (pid: number, path: string): boolean =>
  readdirSync(`/proc/${pid}/fd`).some((fd) => linkOf(`/proc/${pid}/fd/${fd}`) === path);

/** TCP ports that it listens on, ascending. */
export function listeningPorts(pid: number): number[] {
  const own = new Set(readdirSync(`/proc/${pid}/fd`).map((fd) => linkOf(`/proc/${pid}/fd/${fd}`)));
  const tables = ['tcp', 'tcp6'].map((table) => readFileSync(`/proc/${pid}/net/${table}`, 'utf8'));
  const ports = tables
    .flatMap((table) => table.split('\n').slice(1))
    .map((row) => row.trim().split(/\s+/))
    .filter(([, , , state, , , , , , inode]) => state === LISTEN && own.has(`socket:[${inode}]`))
    .map(([, local]) => Number.parseInt(local?.split(':').at(-1) ?? '', 16));
  return [...new Set(ports)].sort((a, b) => a - b);
}

/** Empty when the descriptor has been closed meanwhile. */
function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
