/** What the daemon writes: its log, the bans, what containers said last, sockets. A place where it can not is found here, not by the first write. */
import { isAbstract } from '../../base/address.js';
import type { Config } from '../../model/config.js';
import type { Path } from '../path.js';
import type { Warn } from '../report.js';
import type { Context } from './context.js';
import type { ListenerGroup } from './groups.js';

const ADMIN: Path = ['admin', 'listen'];

/**
 * Warnings: whoever checks a file may be another user than the daemon's, a folder may be made by what starts it, and a log
 * that is open is written to whatever became of its name. Opening the log is what refuses a start or a reload.
 */
export function warnOfWritten(
  groups: readonly ListenerGroup[],
  { admin, docker, logging, security, server }: Config,
  { writeFault }: Context,
  warn: Warn,
): void {
  const writer = server.identity?.user.uid ?? null;
  const files = [
    {
      path: ['logging', 'file'],
      file: logging.file,
      as: 'appended',
      otherwise: 'a start, or a reload to this file, is refused unless it can be opened then',
    },
    {
      path: ['security', 'ban_export'],
      file: security.banExport,
      as: 'replaced',
      otherwise: 'until it can be written, bans are not exported',
    },
    {
      path: ['docker', 'state_file'],
      file: docker?.stateFile ?? null,
      as: 'replaced',
      otherwise: 'until it can be written, a start without the engine has no containers',
    },
  ] as const;
  for (const { path, file, as, otherwise } of files) {
    const fault = file === null ? null : writeFault(file, as, writer);
    if (fault !== null) warn(path, `${file}: ${fault}: ${otherwise}`);
  }
  const sockets = groups.flatMap(({ path, listeners }) =>
    listeners.map(({ address }) => ({ path, address })),
  );
  if (admin !== null) sockets.push({ path: ADMIN, address: admin.address });
  for (const { path, address } of sockets) {
    if (address.kind === 'inet' || isAbstract(address.path)) continue;
    const fault = writeFault(address.path, 'bound', writer);
    if (fault !== null) warn(path, `can not listen on \`${address.text}\`: ${fault}`);
  }
}
