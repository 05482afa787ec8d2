/** Credentials of the scheme Basic (RFC 7617). */
import { isUtf8 } from 'node:buffer';
import type { Credentials } from './users/index.js';

/** Upper bound on the decoded credentials. */
const CREDENTIALS_BYTES_MAX = 1024;
const BASIC = /^basic +([A-Za-z0-9+/]+={0,2})$/i;

/** Null: another scheme, or not well-formed. */
export function readBasic(authorization: string): Credentials | null {
  const encoded = BASIC.exec(authorization)?.[1];
  if (encoded === undefined || encoded.length > (CREDENTIALS_BYTES_MAX * 4) / 3) return null;
  const bytes = Buffer.from(encoded, 'base64');
  const colon = bytes.indexOf(0x3a);
  if (colon < 0) return null;
  return credentialsOf(bytes.subarray(0, colon), bytes.subarray(colon + 1));
}

/** Null: no user can have this name. */
export function credentialsOf(name: Buffer, password: Buffer): Credentials | null {
  // No control characters: section 2.
  if (!isUtf8(name) || name.some((byte) => byte < 0x20 || byte === 0x7f)) return null;
  return { name: name.toString('utf8'), password };
}
