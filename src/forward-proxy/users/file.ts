/**
 * Files of users: `NAME:HASH` a line, as htpasswd(1) writes them; `#` begins a comment. Pure.
 */
import { parseHash } from './phc.js';

export interface NamedHash {
  readonly name: string;
  readonly hash: string;
}

export interface UserLine extends NamedHash {
  /** From 1. */
  readonly line: number;
}

export interface UsersFile {
  readonly users: readonly UserLine[];
  readonly problems: readonly { readonly line: number; readonly message: string }[];
}

export const userLimits = {
  /** Of a file. */
  fileBytesMax: 2 * 1024 ** 2,
  /** In all. */
  usersMax: 10_000,
  nameCharactersMax: 64,
} as const;

/** Names of Basic (RFC 7617) have no colon; what else is left out would stand in logs and labels. */
const NAME = new RegExp(`^[^\\s:\\p{C}]{1,${userLimits.nameCharactersMax}}$`, 'u');

/** Why a text can not name a user; null: it can. */
export function userNameFault(name: string): string | null {
  if (NAME.test(name)) return null;
  if (name === '') return 'has no name';
  return name.length > userLimits.nameCharactersMax
    ? `has a name of ${name.length} characters: at most ${userLimits.nameCharactersMax}`
    : 'has a name with a blank, a colon or a control character';
}

/** No line is shown: it may have a password. */
export function parseUsers(text: string): UsersFile {
  const users: UserLine[] = [];
  const problems: { line: number; message: string }[] = [];
  const first = new Map<string, number>();
  for (const [index, raw] of text.split('\n').entries()) {
    const written = raw.trim();
    if (written === '' || written.startsWith('#')) continue;
    const line = index + 1;
    const user = userOf(written);
    if ('fault' in user) problems.push({ line, message: user.fault });
    else if (first.has(user.name))
      problems.push({ line, message: `\`${user.name}\` is there already, in line ${first.get(user.name)}` });
    else users.push({ ...user, line });
    if (!('fault' in user)) first.set(user.name, first.get(user.name) ?? line);
  }
  return { users, problems };
}

function userOf(line: string): NamedHash | { readonly fault: string } {
  const colon = line.indexOf(':');
  if (colon < 0) return { fault: 'expected `NAME:HASH`' };
  const name = line.slice(0, colon);
  const hash = line.slice(colon + 1);
  const nameFault = userNameFault(name);
  if (nameFault !== null) return { fault: nameFault };
  const parsed = parseHash(hash);
  return 'fault' in parsed ? { fault: `the hash of \`${name}\` ${parsed.fault}` } : { name, hash };
}
