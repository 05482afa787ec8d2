/** Users of the proxy, from the configuration and from a file of their own. No hash is ever shown. */
import { resolve } from 'node:path';
import { parseHash, parseUsers, userLimits, userNameFault } from '../../forward-proxy/users/index.js';
import type { ConnectProxyConfig, ProxyUserConfig, ProxyUserLimits } from '../../model/connect-proxy.js';
import type { Path } from '../path.js';
import type { Report } from '../report.js';
import type { ConnectProxyEntry } from '../schema/connect-proxy.js';
import type { Context } from './context.js';

const USERS: Path = ['connect_proxy', 'users'];
const USERS_FILE: Path = ['connect_proxy', 'users_file'];

/** Lines of a file that are complained of: of another kind of file each would be. */
const LINES_SHOWN_MAX = 10;

export function resolveProxyUsers(
  written: ConnectProxyEntry,
  context: Context,
  report: Report,
): Pick<ConnectProxyConfig, 'users' | 'usersFile'> {
  const { users, users_file } = written;
  if (users === undefined && users_file === undefined) return { users: null, usersFile: null };
  const listed = listedUsers(written, report);
  const usersFile = users_file === undefined ? null : resolve(context.directory, users_file);
  const filed = usersFile === null ? [] : filedUsers(usersFile, written, listed, context, report);
  const all = [...listed, ...filed];
  const path = usersFile === null ? USERS : USERS_FILE;
  if (all.length === 0 && !report.isWrong(path))
    report.problem(path, 'has no user: nobody could use the proxy');
  if (all.length > userLimits.usersMax)
    report.problem(path, `${all.length} users are too many: at most ${userLimits.usersMax}`);
  return { users: all, usersFile };
}

const limitsOf = (
  { user_limits: byDefault }: ConnectProxyEntry,
  own?: NonNullable<ConnectProxyEntry['users']>[string],
): ProxyUserLimits => ({
  maxConnections: own?.max_connections ?? byDefault.max_connections,
  bandwidth: own?.bandwidth ?? byDefault.bandwidth,
});

function listedUsers(written: ConnectProxyEntry, report: Report): ProxyUserConfig[] {
  return Object.entries(written.users ?? {}).map(([name, user]) => {
    const path = [...USERS, name];
    const nameFault = userNameFault(name);
    if (nameFault !== null) report.problem(path, nameFault);
    const parsed = parseHash(user.hash);
    if ('fault' in parsed) report.problem(path, parsed.fault);
    return { name, hash: user.hash, ...limitsOf(written, user) };
  });
}

function filedUsers(
  file: string,
  written: ConnectProxyEntry,
  listed: readonly ProxyUserConfig[],
  context: Context,
  report: Report,
): ProxyUserConfig[] {
  const read = context.usersFile(file);
  if ('fault' in read) {
    report.problem(USERS_FILE, `${read.fault}: ${file}`);
    return [];
  }
  const { users, problems } = parseUsers(read.text);
  for (const { line, message } of problems.slice(0, LINES_SHOWN_MAX))
    report.problem(USERS_FILE, `${file}:${line}: ${message}`);
  if (problems.length > LINES_SHOWN_MAX)
    report.problem(USERS_FILE, `${file}: has ${problems.length - LINES_SHOWN_MAX} more wrong lines`);
  const known = new Set(listed.map(({ name }) => name));
  for (const { name, line } of users)
    if (known.has(name))
      report.problem(USERS_FILE, `${file}:${line}: \`${name}\` is one of \`users\` already`);
  return users.map(({ name, hash }) => ({ name, hash, ...limitsOf(written) }));
}
