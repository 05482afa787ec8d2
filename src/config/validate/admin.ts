/** The control interface: whoever reaches it may end sessions and change routes. */
import { createNetworkSet } from '../../base/network.js';
import type { AdminConfig, ListenAddress } from '../../model/config.js';
import type { Report } from '../report.js';
import type { Shape } from './shape.js';
import { hasFile, withMode } from './sockets.js';

/** Mode of its socket's file: the owner alone. */
const MODE = 0o600;

const isLoopback = createNetworkSet(['127.0.0.0/8', '::1']);

export function resolveAdmin({ admin }: Shape, report: Report): AdminConfig | null {
  if (admin === null) return null;
  const [written, ...others] = admin.listen;
  if (written === undefined) return null;
  if (others.length > 0) report.problem(['admin', 'listen'], 'takes one port: write one');
  if (admin.mode !== undefined && !hasFile(written)) {
    report.problem(['admin', 'mode'], "is for a unix socket's file, such as `unix:/run/anyport.sock`");
  }
  const address = withMode(written, admin.mode ?? MODE);
  if (admin.token === '' && !isPrivate(address)) {
    const instead = 'set `admin.token`, or listen on `127.0.0.1` or a unix socket';
    report.problem(['admin', 'listen'], `\`${address.text}\` is open to other machines: ${instead}`);
  }
  return { address, token: admin.token };
}

/** An abstract socket has no permissions, but only this machine (and network namespace) reaches it. */
const isPrivate = (address: ListenAddress): boolean => address.kind === 'unix' || isLoopback(address.host);
