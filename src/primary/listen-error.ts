/** Why an address can not be listened on, and what to do about it. */
import { dirname } from 'node:path';
import type { ListenAddress } from '../model/config.js';
import type { Transport } from '../model/protocol.js';
import { occupantOf } from './occupant.js';
import { reasonOf } from './socket-group.js';
import { StartError } from './start-error.js';

/** `who`: what was to listen. */
export function listenError(
  who: string,
  address: ListenAddress,
  error: unknown,
  transport: Transport = 'tcp',
): StartError {
  const { code } = error as NodeJS.ErrnoException;
  const advice = adviceOn(address, transport, code);
  const what = transport === 'udp' ? 'take datagrams' : 'listen';
  return new StartError(`${who} can not ${what} on ${address.text}: ${reasonOf(error)}${advice}`, code);
}

function adviceOn(address: ListenAddress, transport: Transport, code: string | undefined): string {
  if (code === 'EADDRINUSE') return inUse(address, transport);
  if (code !== 'EACCES') return '';
  return address.kind === 'unix' ? mayNotWrite(address.path) : lowPort(address.port);
}

function inUse(address: ListenAddress, transport: Transport): string {
  const occupant = occupantOf(address, transport);
  const end = occupant === null ? 'end what listens there' : `${occupant} listens there: end it`;
  const shows = address.kind === 'unix' ? '`ss -lxp` shows it' : `\`ss -l${transport[0]}np\` shows it`;
  return `; ${end}${occupant?.includes('pid') ? '' : ` (${shows})`}, or choose another address`;
}

const mayNotWrite = (path: string): string =>
  `; ${dirname(path)} is to be a folder that user ${process.geteuid?.()} may write to`;

const lowPort = (port: number): string =>
  '; a low port takes one of three: start as root, with `server.user` for what comes after; give the capability ' +
  '(`AmbientCapabilities=CAP_NET_BIND_SERVICE` in the unit of systemd, or ' +
  `\`setcap cap_net_bind_service=+ep ${process.execPath}\`, then for all that this Node runs); ` +
  `or open such ports to everybody, \`sysctl net.ipv4.ip_unprivileged_port_start=${port}\``;
