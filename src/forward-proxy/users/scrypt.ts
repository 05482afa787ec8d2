/** scrypt on one of libuv's threads. */
import { randomBytes, scrypt } from 'node:crypto';
import { promisify } from 'node:util';
import { type Costs, hashText, memoryOf } from './phc.js';

/** The key of `bytes` bytes. Rejects only where memory is short. */
export type Derive = (password: Uint8Array, salt: Uint8Array, costs: Costs, bytes: number) => Promise<Buffer>;

export const deriveKey: Derive = (password, salt, { ln, r, p }, bytes) =>
  promisify<Uint8Array, Uint8Array, number, object, Buffer>(scrypt)(password, salt, bytes, {
    N: 2 ** ln,
    r,
    p,
    // What one lane needs besides the table is small.
    maxmem: 2 * memoryOf({ ln, r, p }),
  });

const SALT_BYTES = 16;
const HASH_BYTES = 32;

/** The hash of a password, with a salt of its own. */
export async function hashPassword(password: Uint8Array, costs: Costs): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  return hashText({ ...costs, salt, hash: await deriveKey(password, salt, costs, HASH_BYTES) });
}
