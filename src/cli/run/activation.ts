/** Sockets that the service manager has opened (sd_listen_fds(3)): LISTEN_FDS, LISTEN_FDNAMES, LISTEN_PID. */
import type { Native } from '../../addon.js';
import { hostPort } from '../../base/address.js';
import type { ListenAddress } from '../../model/config.js';
import type { Transport } from '../../model/protocol.js';
import type { SocketGroup } from '../../primary/socket-group.js';
import type { InheritedGroup } from '../../primary/sockets.js';
import { StartError } from '../../primary/start-error.js';

/** SD_LISTEN_FDS_START. */
const FIRST_FD = 3;

/** Descriptors looked at. */
export const ACTIVATED_MAX = 4096;

export interface ActivatedSocket {
  readonly fd: number;
  /** FileDescriptorName= of the socket unit; by default the unit's name. */
  readonly name: string;
}

/** Empty when the variables are meant for another process. Removes them: they are not for processes that this one starts. */
export function takeActivatedSockets(environment: NodeJS.ProcessEnv, pid: number): ActivatedSocket[] {
  const { LISTEN_FDS, LISTEN_FDNAMES = '', LISTEN_PID } = environment;
  for (const name of ['LISTEN_FDS', 'LISTEN_FDNAMES', 'LISTEN_PID']) delete environment[name];
  const count = /^\d{1,4}$/.test(LISTEN_FDS ?? '') ? Number(LISTEN_FDS) : 0;
  if (LISTEN_PID !== String(pid)) return [];
  const names = LISTEN_FDNAMES.split(':');
  return Array.from({ length: Math.min(count, ACTIVATED_MAX) }, (_, index) => ({
    fd: FIRST_FD + index,
    name: names[index] ?? '',
  }));
}

type Calls = Pick<Native, 'adopt' | 'adoptUdp' | 'localAddress' | 'socketNumber' | 'closeFd'>;

/**
 * As groups: sockets of one name, transport and address, opened with ReusePort=, are one. Throws a StartError for others
 * than listening streams and UDP sockets: the service manager would go on to take what nobody serves.
 */
export function activatedGroups(sockets: readonly ActivatedSocket[], calls: Calls): InheritedGroup[] {
  const groups = new Map<string, InheritedGroup>();
  for (const { fd, name } of sockets) {
    try {
      const transport = adopted(fd, calls);
      const address = addressOf(fd, calls);
      const key = `${name} ${transport} ${address.text}`;
      const before = groups.get(key)?.group.sockets ?? [];
      const all = [...before, { socket: calls.socketNumber(fd), fd }];
      groups.set(key, {
        name,
        use: useOf(name),
        isNamed: name !== '',
        group: groupOf(transport, address, all),
      });
    } catch (error) {
      throw refusalOf(name, fd, error as NodeJS.ErrnoException);
    }
  }
  return [...groups.values()];
}

/** Its receive buffer is what ReceiveBuffer= says until a listener takes it. */
function adopted(fd: number, calls: Calls): Transport {
  try {
    calls.adopt(fd);
    return 'tcp';
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPROTOTYPE') throw error;
    calls.adoptUdp(fd, { receiveBuffer: 0 });
    return 'udp';
  }
}

function refusalOf(name: string, fd: number, { code, message }: NodeJS.ErrnoException): StartError {
  const which = `descriptor ${fd} of the service manager${name === '' ? '' : ` (\`${name}\`)`}`;
  return new StartError(`${which} can not be served: ${(code && faults[code]) ?? message}`, code);
}

const faults: Readonly<Record<string, string>> = {
  EPROTOTYPE: 'it takes neither streams nor UDP: write ListenStream=, or ListenDatagram= with a port',
  EINVAL: 'it is a socket that does not listen: write Accept=no',
};

const uses: Readonly<Record<string, InheritedGroup['use']>> = {
  monitoring: 'monitoring',
  metrics: 'monitoring',
  health: 'monitoring',
  admin: 'admin',
};

const useOf = (name: string): InheritedGroup['use'] => uses[name] ?? 'listener';

function addressOf(fd: number, calls: Calls): ListenAddress {
  const bound = calls.localAddress(fd);
  if ('path' in bound) return { kind: 'unix', path: bound.path, text: `unix:${bound.path}`, mode: 0 };
  const { host, port } = bound;
  return { kind: 'inet', host, port, text: hostPort(host, port) };
}

/** Its file, if it has one, is the service manager's. */
const groupOf = (
  transport: Transport,
  address: ListenAddress,
  sockets: SocketGroup['sockets'],
): SocketGroup => ({
  transport,
  address,
  bound: address.text,
  sockets,
  retiring: [],
  file: null,
  isFixed: true,
});
