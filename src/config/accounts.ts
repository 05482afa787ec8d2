/** Users and groups of this machine, by name or number (passwd(5), group(5), and what else getent(1) asks: LDAP …). */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

export interface FoundUser {
  readonly uid: number;
  /** Primary group. */
  readonly gid: number;
  readonly name: string;
}

export interface FoundGroup {
  readonly gid: number;
  readonly name: string;
}

export interface Accounts {
  /** Null: there is none. */
  user(key: string): FoundUser | null;
  group(key: string): FoundGroup | null;
  /** Groups that list the user beside its primary one. */
  groupsOf(name: string): number[];
}

/** Time for a directory server to answer. */
const GETENT_MS_MAX = 5000;

export const systemAccounts: Accounts = {
  user(key) {
    const [name = '', , uid, gid] = entry('passwd', key) ?? [];
    return uid === undefined ? null : { name, uid: Number(uid), gid: Number(gid) };
  },
  group(key) {
    const [name = '', , gid] = entry('group', key) ?? [];
    return gid === undefined ? null : { name, gid: Number(gid) };
  },
  groupsOf: (name) =>
    fileText('/etc/group')
      .split('\n')
      .map((line) => line.split(':'))
      .filter(([, , , members = '']) => members.split(',').includes(name))
      .map(([, , gid]) => Number(gid)),
};

/** Both files begin NAME:PASSWORD:NUMBER. */
function entry(database: 'passwd' | 'group', key: string): string[] | undefined {
  return find(fileText(`/etc/${database}`), key) ?? find(asked(database, key), key);
}

const find = (text: string, key: string): string[] | undefined =>
  text
    .split('\n')
    .map((line) => line.split(':'))
    .find(([name, , number]) => number !== undefined && (name === key || number === key));

function fileText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function asked(database: string, key: string): string {
  try {
    return execFileSync('getent', [database, '--', key], {
      encoding: 'utf8',
      timeout: GETENT_MS_MAX,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  } catch {
    return '';
  }
}
