/**
 * The listening sockets: opened and closed here, accepted on by the workers (or by the acceptor). They outlive workers,
 * so that a worker's death loses no connection waiting in the backlog.
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

/** listen(2) backlog per socket; the kernel caps it at net.core.somaxconn. */
const BACKLOG = 4096;

export type SocketCalls = Pick<Native, 'listen' | 'localAddress' | 'closeFd' | 'socketNumber'>;

interface Listener {
  readonly name: string;
  /** Bound address; for port 0 with the port that the kernel chose. */
  readonly address: AddressText;
  /** One per worker, or one shared by all. */
  readonly fds: readonly number[];
  /** Socket file of a Unix listener, with its inode to recognise it at close. */
  readonly file: { readonly path: string; readonly stats: Stats } | null;
}

export class ListeningSockets {
  #listeners: readonly Listener[];
  readonly #calls: SocketCalls;

  private constructor(listeners: readonly Listener[], calls: SocketCalls) {
    this.#listeners = listeners;
    this.#calls = calls;
  }

  /** Opens all listeners, `each` sockets per inet address; on failure throws a StartError and leaves none open. */
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

  /** Sockets that a worker accepts on: its own and the shared ones. */
  of(worker: number): ListeningSocket[] {
    return this.#listeners.map(({ fds }, listener) => {
      const fd = fds[worker % fds.length] as number;
      return { socket: this.#calls.socketNumber(fd), listener, fd };
    });
  }

  /** Idempotent. */
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

/** Without IPv6 on the host, `::` falls back to 0.0.0.0. */
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
  // SO_REUSEPORT would silently share the port with a second daemon started by mistake: bind without it first.
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

/** Removes a socket file on which connect is refused: left behind by a killed process. */
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

/** Removes our socket file, unless another process has replaced it since. */
function removeOwn(path: string, opened: Stats): void {
  const now = lstatSync(path, { throwIfNoEntry: false });
  if (now && now.ino === opened.ino && now.dev === opened.dev) unlinkSync(path);
}

/** Advice per error code of bind and listen. */
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
