/** `server.user` and `server.group`: whom the daemon becomes when it is started as root. */
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isAbstract } from '../../base/address.js';
import type { Config, Group, Identity, User } from '../../model/config.js';
import { keyFilesOf } from '../modules.js';
import type { Path } from '../path.js';
import type { Report, Warn } from '../report.js';
import type { Right } from '../rights.js';
import type { Source } from '../source.js';
import type { Context } from './context.js';
import type { Shape } from './shape.js';

const USER: Path = ['server', 'user'];
const GROUP: Path = ['server', 'group'];

/** (uid_t)-1 means "unchanged" to the kernel. */
const ID_MAX = 2 ** 32 - 2;

/** Null: it stays who it is. */
export function resolveIdentity({ server }: Shape, { accounts }: Context, report: Report): Identity | null {
  const [wantedUser, wantedGroup] = [String(server.user), String(server.group)];
  if (wantedUser === '') {
    if (wantedGroup !== '') report.problem(GROUP, 'needs `user`: a group alone takes no rights away');
    return null;
  }
  const user = findUser(wantedUser, accounts, report);
  const group = findGroup(wantedGroup, user, accounts, report);
  return user && group && { user, group };
}

function findUser(wanted: string, accounts: Context['accounts'], report: Report): User | null {
  const found = accounts.user(wanted);
  const uid = found?.uid ?? numberOf(wanted);
  if (uid === null) {
    report.problem(
      USER,
      `there is no user \`${wanted}\` on this machine: \`useradd --system ${wanted}\` makes one`,
    );
    return null;
  }
  if (uid === 0) {
    report.problem(USER, `\`${wanted}\` is root, whom anyport is to give up: name another user`);
    return null;
  }
  return { name: wanted, account: found?.name ?? null, uid, gid: found?.gid ?? null };
}

function findGroup(
  wanted: string,
  user: User | null,
  accounts: Context['accounts'],
  report: Report,
): Group | null {
  if (wanted === '') {
    if (user === null) return null;
    if (user.gid !== null) return { name: '', gid: user.gid };
    report.problem(
      USER,
      `no user has the number ${user.name}, so its group is not known: name \`group\` too`,
    );
    return null;
  }
  const gid = accounts.group(wanted)?.gid ?? numberOf(wanted);
  if (gid !== null) return { name: wanted, gid };
  report.problem(
    GROUP,
    `there is no group \`${wanted}\` on this machine: \`groupadd --system ${wanted}\` makes one`,
  );
  return null;
}

function numberOf(text: string): number | null {
  const id = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  return id <= ID_MAX ? id : null;
}

/** A path, what the user is to do with it, and what becomes of anyport if it may not. */
type Use = readonly [path: string, right: Right, otherwise: string];

/** What the user of `server.user` seems not to be allowed to do. */
export function warnOfRights(source: Source, config: Config, context: Context, warn: Warn): void {
  const { accounts, mayUse } = context;
  const { identity } = config.server;
  if (identity === null) return;
  const { account, name, uid } = identity.user;
  const gids = [identity.group.gid, ...(account === null ? [] : accounts.groupsOf(account))];
  for (const [path, right, otherwise] of [
    ...modulesOf(config),
    ...listsOf(config),
    ...keysOf(source, context),
    ...logOf(config, context),
    ...exportOf(config),
    ...stateOf(config),
    ...socketsOf(config),
  ]) {
    if (mayUse(path, right, { uid, gids })) continue;
    warn(USER, `by its permissions ${path} is not for \`${name}\` to ${right}: ${otherwise}`);
  }
}

const modulesOf = ({ upstreams, protocols }: Config): Use[] =>
  [...upstreams.map(({ handler }) => handler), ...protocols.map(({ validator }) => validator)]
    .filter((url): url is string => url?.startsWith('file:') ?? false)
    .map((url) => [fileURLToPath(url), 'read', 'it can not be loaded']);

const listsOf = ({ security, listeners }: Config): Use[] => {
  const owners = [security.lists, ...listeners.map(({ lists }) => lists)];
  const files = owners.flatMap(({ trusted, denied, allowed }) =>
    [trusted, denied, allowed].flatMap((list) => list.files),
  );
  return [...new Set(files.map(({ path }) => path))].map((path) => [
    path,
    'read',
    'anyport does not start without its lists of networks',
  ]);
};

/** Read as root at the start. */
const keysOf = ({ value }: Source, { directory }: Context): Use[] =>
  keyFilesOf(value, directory).map((file) => [file, 'read', 'every reload is refused']);

function logOf({ logging: { file } }: Config, { fileKind }: Context): Use[] {
  if (file === null) return [];
  return [
    [
      fileKind(file) === 'none' ? dirname(file) : file,
      'write',
      'anyport does not start without its log file',
    ],
  ];
}

const exportOf = ({ security: { banExport } }: Config): Use[] =>
  banExport === null ? [] : [[dirname(banExport), 'write', 'the bans are not exported']];

const stateOf = ({ docker }: Config): Use[] =>
  docker === null || docker.stateFile === null
    ? []
    : [[dirname(docker.stateFile), 'write', 'a start without the engine has no containers']];

const socketsOf = ({ listeners, admin }: Config): Use[] =>
  [...listeners.map(({ address }) => address), ...(admin ? [admin.address] : [])].flatMap((address) =>
    address.kind === 'inet' || isAbstract(address.path)
      ? []
      : [[dirname(address.path), 'write', 'its socket stays there at the end, and a reload can not open it']],
  );
