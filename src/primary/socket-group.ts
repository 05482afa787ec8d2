/** The listening sockets of one address: opened, grown, recognised, closed. */
import { chmodSync, lstatSync, type Stats, unlinkSync } from 'node:fs';
import { connect } from 'node:net';
import type { Native } from '../addon.js';
import { hostPort, isAbstract } from '../base/address.js';
import { BACKLOG } from '../budget/backlog.js';
import type { SocketAddress } from '../model/address.js';
import type { ListenAddress } from '../model/config.js';
import type { Transport } from '../model/protocol.js';
import type { AddressText } from '../model/session.js';

export type SocketCalls = Pick<Native, 'listen' | 'bindUdp' | 'localAddress' | 'socketNumber' | 'closeFd'>;

export interface OpenSocket {
  /** The kernel's number of the socket, which no other has. */
  readonly socket: number;
  readonly fd: number;
}

export interface SocketGroup {
  /** Absent: `tcp`; Unix sockets have streams, too. */
  readonly transport?: Transport;
  /** As configured. */
  readonly address: ListenAddress;
  /** As bound: for port 0 with the port that the kernel chose. */
  readonly bound: AddressText;
  /**
   * Several for an inet address, all with SO_REUSEPORT: the kernel spreads connections or flows over them. In the order in which
   * they were opened, by which the kernel numbers them.
   */
  readonly sockets: readonly OpenSocket[];
  /** Opened after the others and too many now: emptied until handshakes under way have ended. */
  readonly retiring: readonly OpenSocket[];
  /** Socket file of a Unix listener, with its inode to recognise it at close. */
  readonly file: { readonly path: string; readonly stats: Pick<Stats, 'ino' | 'dev'> } | null;
  /** Opened by the service manager, perhaps without SO_REUSEPORT: never another number of sockets. */
  readonly isFixed?: boolean;
  /** Datagrams may be those of KCP links, which are steered by the link. */
  readonly hasLinks?: boolean;
  /** Another process is the owner of its file, for the time being. */
  readonly isBorrowed?: boolean;
}

type Inet = Extract<ListenAddress, { kind: 'inet' }>;
type Unix = Extract<ListenAddress, { kind: 'unix' }>;
type Place = Omit<Inet, 'text' | 'kind'>;

export interface OpenOptions {
  /** Default: `tcp`. */
  readonly transport?: Transport;
  /** Of each datagram socket, in bytes; 0, the default: the system's. */
  readonly receiveBuffer?: number;
  /** Sockets of an inet address; a Unix address has one. */
  readonly size: number;
  /** We have a socket on this port ourselves: whether another process has one can not be found out. */
  readonly holdsPort: boolean;
}

/** Throws the error of the system call, which `reasonOf` puts into words, and leaves nothing open. */
export async function openGroup(
  address: ListenAddress,
  options: OpenOptions,
  calls: SocketCalls,
): Promise<SocketGroup> {
  return address.kind === 'unix' ? openUnix(address, calls) : openInet(address, options, calls);
}

/** The group with `size` sockets: further ones are opened, the last ones retire. Throws as openGroup. */
export function resizedGroup(
  group: SocketGroup,
  { size, receiveBuffer = 0 }: Pick<OpenOptions, 'size' | 'receiveBuffer'>,
  calls: SocketCalls,
): SocketGroup {
  const { address, bound } = group;
  const all = allOf(group);
  if (group.isFixed) return group;
  if (address.kind === 'unix' || all.length >= size) {
    const stay = address.kind === 'unix' ? all.length : size;
    return { ...group, sockets: all.slice(0, stay), retiring: all.slice(stay) };
  }
  const { host, port } = inetOf(bound);
  const options = { transport: transportOf(group), size: size - all.length, receiveBuffer };
  const further = openMany({ ...address, host, port }, options, calls);
  return { ...group, sockets: [...all, ...further], retiring: [] };
}

export const transportOf = ({ transport = 'tcp' }: SocketGroup): Transport => transport;

export const allOf = ({ sockets, retiring }: SocketGroup): OpenSocket[] => [...sockets, ...retiring];

/** `keep`: sockets that another group goes on with. */
export function closeGroup(
  group: SocketGroup,
  calls: SocketCalls,
  keep: ReadonlySet<number> = new Set(),
): void {
  const all = allOf(group);
  const gone = all.filter(({ socket }) => !keep.has(socket));
  for (const { fd } of gone) calls.closeFd(fd);
  if (group.file && !group.isBorrowed && gone.length === all.length) removeOwn(group.file);
}

/** Of an inet address; null for a Unix one. */
export function boundPort({ address, bound }: SocketGroup): number | null {
  return address.kind === 'unix' ? null : inetOf(bound).port;
}

/** Whether clients still find a Unix group by its path. */
export function hasItsFile({ file }: SocketGroup): boolean {
  return file === null || lstatSync(file.path, { throwIfNoEntry: false }) !== undefined;
}

export function changeMode({ file }: SocketGroup, mode: number): void {
  if (file && isSame(file)) chmodSync(file.path, mode);
}

async function openUnix(address: Unix, calls: SocketCalls): Promise<SocketGroup> {
  const { path, mode } = address;
  if (!isAbstract(path)) await removeStale(path);
  const fd = calls.listen({ path }, { reusePort: false, backlog: BACKLOG, mode });
  const file = isAbstract(path) ? null : { path, stats: lstatSync(path) };
  const sockets = [{ socket: calls.socketNumber(fd), fd }];
  return { address, bound: `unix:${path}`, sockets, retiring: [], file };
}

/** Without IPv6 on the host, `::` falls back to 0.0.0.0. Throws as openGroup. */
export function openInet(address: Inet, options: OpenOptions, calls: SocketCalls): SocketGroup {
  try {
    return openFamily(address, address.host, options, calls);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const noIpv6 = code === 'EAFNOSUPPORT' || code === 'EADDRNOTAVAIL';
    if (address.host !== '::' || address.ipv6Only || !noIpv6) throw error;
    return openFamily(address, '0.0.0.0', options, calls);
  }
}

function openFamily(address: Inet, host: string, options: OpenOptions, calls: SocketCalls): SocketGroup {
  const { port } = address;
  const { transport = 'tcp' } = options;
  // SO_REUSEPORT would silently share the port with a second daemon started by mistake: bind without it first.
  const probed = port !== 0 && !options.holdsPort;
  if (probed) calls.closeFd(openOne({ ...address, host }, { transport, isShared: false }, calls));
  const sockets = openMany({ ...address, host }, options, calls);
  const bound = calls.localAddress((sockets[0] as OpenSocket).fd);
  return { transport, address, bound: hostPort(host, portOf(bound)), sockets, retiring: [], file: null };
}

/** With port 0 all get the port that the kernel chooses for the first. */
function openMany(
  address: Place,
  { transport = 'tcp', size, receiveBuffer = 0 }: Omit<OpenOptions, 'holdsPort'>,
  calls: SocketCalls,
): OpenSocket[] {
  const opened: OpenSocket[] = [];
  let { port } = address;
  try {
    while (opened.length < size) {
      const fd = openOne({ ...address, port }, { transport, isShared: true, receiveBuffer }, calls);
      opened.push({ socket: calls.socketNumber(fd), fd });
      port = portOf(calls.localAddress(fd));
    }
    return opened;
  } catch (error) {
    for (const { fd } of opened) calls.closeFd(fd);
    throw error;
  }
}

interface OpeningOne {
  readonly transport: Transport;
  /** With SO_REUSEPORT. */
  readonly isShared: boolean;
  readonly receiveBuffer?: number;
}

function openOne(
  { host, port, ipv6Only = false }: Place,
  { transport, isShared: reusePort, receiveBuffer = 0 }: OpeningOne,
  calls: SocketCalls,
): number {
  return transport === 'udp'
    ? calls.bindUdp({ host, port }, { reusePort, ipv6Only, receiveBuffer })
    : calls.listen({ host, port }, { reusePort, ipv6Only, backlog: BACKLOG });
}

const portOf = (address: SocketAddress): number => ('port' in address ? address.port : 0);

function inetOf(bound: AddressText): { host: string; port: number } {
  const colon = bound.lastIndexOf(':');
  const host = bound.slice(0, colon).replace(/^\[|\]$/g, '');
  return { host, port: Number(bound.slice(colon + 1)) };
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

type SocketFile = NonNullable<SocketGroup['file']>;

function isSame({ path, stats }: SocketFile): boolean {
  const now = lstatSync(path, { throwIfNoEntry: false });
  return now !== undefined && now.ino === stats.ino && now.dev === stats.dev;
}

/**
 * Removes our socket file, unless another process has replaced it since. In a folder of root it stays when root has bound
 * it for another user: nobody listens there, and the next start removes it.
 */
function removeOwn(file: SocketFile): void {
  if (!isSame(file)) return;
  try {
    unlinkSync(file.path);
  } catch (error) {
    if (!['EACCES', 'EPERM', 'EROFS'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}

const reasons: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the address is in use',
  EACCES: 'permission denied',
  ENOENT: 'there is no such folder',
  ENOTDIR: 'there is no such folder',
  EADDRNOTAVAIL: 'the address is not one of this machine',
  EAFNOSUPPORT: 'this machine has no such addresses (IPv6 is off)',
};

/** Why a socket can not listen. */
export function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  const reason = code === undefined ? undefined : reasons[code];
  return reason === undefined ? message : `${reason} (${code})`;
}
