/**
 * The listening sockets: opened here, accepted on by the workers (or by the acceptor), closed here. They outlive
 * the workers, so that connections that wait in a queue are not lost with a worker that dies.
 */
import { lstatSync, type Stats, unlinkSync } from 'node:fs';
import { connect } from 'node:net';
import type { Native } from '../addon.js';
import { isAbstract } from '../base/address.js';
import type { SocketAddress } from '../model/address.js';
import type { ListenAddress, ListenerConfig } from '../model/config.js';
import type { ListeningSocket } from '../model/message.js';
import type { AddressText } from '../model/session.js';
import { StartError } from './start-error.js';

/** Connections that may wait to be accepted, each socket; the kernel's own limit (somaxconn) may be lower. */
const BACKLOG = 4096;

export type SocketCalls = Pick<Native, 'listen' | 'localAddress' | 'closeFd'>;

interface Listener {
  readonly name: string;
  /** Where it really listens: the port that the system chose, where it was asked to. */
  readonly address: AddressText;
  /** One a worker, or one for all. */
  readonly fds: readonly number[];
  /** The file of a unix socket, to know it again. */
  readonly file: { readonly path: string; readonly stats: Stats } | null;
}

export class ListeningSockets {
  #listeners: readonly Listener[];
  readonly #calls: SocketCalls;

  private constructor(listeners: readonly Listener[], calls: SocketCalls) {
    this.#listeners = listeners;
    this.#calls = calls;
  }

  /** Opens all, `each` sockets an inet address, or throws a StartError and leaves none open. */
  static async open(
    configs: readonly ListenerConfig[],
    each: number,
    calls: SocketCalls,
  ): Promise<ListeningSockets> {
    const listeners: Listener[] = [];
    try {
      for (const config of configs) listeners.push(await openListener(config, each, calls));
    } catch (error) {
      new ListeningSockets(listeners, calls).close();
      throw error;
    }
    return new ListeningSockets(listeners, calls);
  }

  get addresses(): { name: string; address: AddressText }[] {
    return this.#listeners.map(({ name, address }) => ({ name, address }));
  }

  /** The sockets that are this worker's: its own, and those that all share. */
  of(worker: number): ListeningSocket[] {
    return this.#listeners.map(({ fds }, listener) => ({
      listener,
      fd: fds[worker % fds.length] as number,
    }));
  }

  /** May be called again. */
  close(): void {
    const listeners = this.#listeners;
    this.#listeners = [];
    for (const { fds, file } of listeners) {
      for (const fd of fds) this.#calls.closeFd(fd);
      if (file) removeOwn(file.path, file.stats);
    }
  }
}

async function openListener(config: ListenerConfig, each: number, calls: SocketCalls): Promise<Listener> {
  const { name, address } = config;
  try {
    if (address.kind === 'unix') return await openUnix(name, address, calls);
    return openEitherFamily(name, address, each, calls);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const hint = (address.kind === 'inet' && code !== undefined && hints[code]) || '';
    throw new StartError(
      `listener ${name} can not listen on ${address.text}: ${reasonOf(error)}${hint}`,
      code,
    );
  }
}

type UnixListen = Extract<ListenAddress, { kind: 'unix' }>;
type InetListen = Pick<Extract<ListenAddress, { kind: 'inet' }>, 'host' | 'port' | 'ipv6Only'>;

async function openUnix(name: string, { path, mode }: UnixListen, calls: SocketCalls): Promise<Listener> {
  if (!isAbstract(path)) await removeStale(path);
  const fd = calls.listen({ path }, { reusePort: false, backlog: BACKLOG, mode });
  const file = isAbstract(path) ? null : { path, stats: lstatSync(path) };
  return { name, address: `unix:${path}`, fds: [fd], file };
}

/** Where there is no IPv6, all addresses are the IPv4 ones. */
function openEitherFamily(name: string, address: InetListen, each: number, calls: SocketCalls): Listener {
  try {
    return openInet(name, address, each, calls);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const noIpv6 = code === 'EAFNOSUPPORT' || code === 'EADDRNOTAVAIL';
    if (address.host !== '::' || address.ipv6Only || !noIpv6) throw error;
    return openInet(name, { host: '0.0.0.0', port: address.port }, each, calls);
  }
}

function openInet(name: string, address: InetListen, each: number, calls: SocketCalls): Listener {
  const { host, port, ipv6Only = false } = address;
  const reusePort = each > 1;
  // SO_REUSEPORT would share the port with whoever else set it: another daemon, started by mistake. Ask first.
  if (reusePort) calls.closeFd(calls.listen({ host, port }, { reusePort: false, backlog: 1, ipv6Only }));
  const fds: number[] = [];
  try {
    let bound = port;
    while (fds.length < each) {
      const fd = calls.listen({ host, port: bound }, { reusePort, backlog: BACKLOG, ipv6Only });
      fds.push(fd);
      bound = boundPort(fd, calls);
    }
    return { name, address: textOf(host, bound), fds, file: null };
  } catch (error) {
    for (const fd of fds) calls.closeFd(fd);
    throw error;
  }
}

function boundPort(fd: number, calls: SocketCalls): number {
  const address: SocketAddress = calls.localAddress(fd);
  return 'port' in address ? address.port : 0;
}

function textOf(host: string, port: number): AddressText {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** A socket file that nobody answers on is what a killed process left behind. */
async function removeStale(path: string): Promise<void> {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats?.isSocket() && (await isDead(path))) unlinkSync(path);
}

function isDead(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    const answer = (dead: boolean) => {
      socket.destroy();
      resolve(dead);
    };
    socket.once('connect', () => answer(false));
    socket.once('error', (error: NodeJS.ErrnoException) => answer(error.code === 'ECONNREFUSED'));
  });
}

/** Not the file of a process that took the path over. */
function removeOwn(path: string, opened: Stats): void {
  const now = lstatSync(path, { throwIfNoEntry: false });
  if (now && now.ino === opened.ino && now.dev === opened.dev) unlinkSync(path);
}

/** What to do about a port that is not to be had. */
const hints: Readonly<Record<string, string>> = {
  EADDRINUSE: '; `--listen HOST:PORT` or the configuration chooses another',
  EACCES: '; a low port needs root, CAP_NET_BIND_SERVICE or `net.ipv4.ip_unprivileged_port_start`',
};

const reasons: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the address is in use',
  EACCES: 'permission denied',
  ENOENT: 'there is no such folder',
  ENOTDIR: 'there is no such folder',
  EADDRNOTAVAIL: 'the address is not one of this machine',
  EAFNOSUPPORT: 'this machine has no such addresses (IPv6 is off)',
};

function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  const reason = code === undefined ? undefined : reasons[code];
  return reason === undefined ? message : `${reason} (${code})`;
}
