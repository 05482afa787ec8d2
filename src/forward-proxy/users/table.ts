/** The users of one Plan by name, with their hashes. */
import { createHash } from 'node:crypto';
import type { ProxyUser } from '../../model/connect-proxy.js';
import { type PasswordHash, parseHash } from './phc.js';

export interface UserTable {
  find(name: string): ProxyUser | undefined;
  hashOf(user: ProxyUser): PasswordHash;
  /**
   * What the guess of somebody who is no user is compared with: it costs what a user's would, and no password is it. Always the
   * same user's costs for one `digest`, so that those of names tell nothing.
   */
  strangerOf(digest: Buffer): PasswordHash;
}

/** Hashes are read when they are asked for. */
export function userTable(users: readonly ProxyUser[]): UserTable {
  const byName = new Map(users.map((user) => [user.name, user]));
  const hashes = new Map<string, PasswordHash>();
  const hashOf = (user: ProxyUser): PasswordHash => {
    const known = hashes.get(user.hash) ?? checkedHash(user);
    hashes.set(user.hash, known);
    return known;
  };
  return {
    find: (name) => byName.get(name),
    hashOf,
    strangerOf(digest) {
      const like = users[digest.readUInt32BE(0) % Math.max(1, users.length)];
      const { ln, r, p, hash } = like === undefined ? COMMON : hashOf(like);
      const salt = createHash('sha256').update(digest).digest().subarray(0, SALT_BYTES);
      return { ln, r, p, salt, hash: Buffer.alloc(hash.length) };
    },
  };
}

const SALT_BYTES = 16;
const COMMON = { ln: 15, r: 8, p: 1, hash: Buffer.alloc(32) };

/** Validation has refused what can not be read. */
function checkedHash({ hash }: ProxyUser): PasswordHash {
  const parsed = parseHash(hash);
  if ('fault' in parsed) throw new Error(`the hash of a user ${parsed.fault}`);
  return parsed;
}
