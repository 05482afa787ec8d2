/** What the daemon writes: its log, the bans, sockets. A place where it can not is found here, not by the first write. */
import { isAbstract } from '../../base/address.js';
import type { AdminConfig } from '../../model/config.js';
import type { Path } from '../path.js';
import type { Report, Warn } from '../report.js';
import type { Context } from './context.js';
import type { ListenerGroup } from './groups.js';
import type { Shape } from './shape.js';

/** Without its log it does not start. */
export function checkLog({ logging: { file } }: Shape, { writeFault }: Context, report: Report): void {
  const fault = file === undefined ? null : writeFault(file, 'appended');
  if (fault !== null) report.problem(['logging', 'file'], `${file}: ${fault}`);
}

/** Bans hold without their file, which is tried again; a folder of sockets may be made by whoever starts the daemon. */
export function warnOfWritten(
  { security: { ban_export } }: Shape,
  groups: readonly ListenerGroup[],
  admin: AdminConfig | null,
  { writeFault }: Context,
  warn: Warn,
): void {
  const fault = ban_export === undefined ? null : writeFault(ban_export, 'replaced');
  if (fault !== null) {
    const meanwhile = 'until it can be written, bans are not exported';
    warn(['security', 'ban_export'], `${ban_export}: ${fault}: ${meanwhile}`);
  }
  const sockets = groups.flatMap(({ path, listeners }) =>
    listeners.map(({ address }) => ({ path, address })),
  );
  const own: Path = ['admin', 'listen'];
  for (const { path, address } of admin === null
    ? sockets
    : [...sockets, { path: own, address: admin.address }]) {
    if (address.kind === 'inet' || isAbstract(address.path)) continue;
    const missing = writeFault(address.path, 'bound');
    if (missing !== null) warn(path, `can not listen on \`${address.text}\`: ${missing}`);
  }
}
