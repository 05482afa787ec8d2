/** X25519 (RFC 7748) on node:crypto, with keys of 32 bytes. */
import { createPrivateKey, createPublicKey, diffieHellman, type KeyObject, randomBytes } from 'node:crypto';

export const KEY_BYTES = 32;

/** What stands before the key in its DER forms (RFC 8410). */
const PRIVATE_PREFIX = Buffer.from('302e020100300506032b656e04220420', 'hex');
const PUBLIC_PREFIX = Buffer.from('302a300506032b656e032100', 'hex');

export interface KeyPair {
  readonly private: KeyObject;
  readonly public: Buffer;
}

export function keyPairOf(secret: Uint8Array): KeyPair {
  const key = createPrivateKey({
    key: Buffer.concat([PRIVATE_PREFIX, secret]),
    format: 'der',
    type: 'pkcs8',
  });
  const spki = createPublicKey(key).export({ format: 'der', type: 'spki' });
  return { private: key, public: spki.subarray(PUBLIC_PREFIX.length) };
}

export const randomSecret = (): Buffer => randomBytes(KEY_BYTES);

/** Null: the point is of low order, and the result would be known to everybody. */
export function sharedSecret(own: KeyObject, other: Uint8Array): Buffer | null {
  const publicKey = createPublicKey({
    key: Buffer.concat([PUBLIC_PREFIX, other]),
    format: 'der',
    type: 'spki',
  });
  try {
    return diffieHellman({ privateKey: own, publicKey });
  } catch {
    return null;
  }
}
