/** From what users write to the keys of links: secrets are stretched, key pairs written as text. */
import { createHmac, pbkdf2Sync, scrypt, scryptSync } from 'node:crypto';
import { promisify } from 'node:util';
import { type KcpCipher, type KcpNoise, kcpCiphers } from '../model/kcp.js';
import { KEY_BYTES, keyPairOf, randomSecret, sharedSecret } from './x25519.js';

/**
 * Whoever has recorded a hello can try secrets without asking anybody: 32 MiB and some 60 ms make each try dear. Both ends
 * have to come to the same key, so the salt is for all.
 */
const STRETCH = { N: 2 ** 15, r: 8, p: 1, maxmem: 64 * 1024 ** 2 } as const;
const SALT = 'anyport kcp 1';

/** The pre-shared key of a secret. Blocks the thread for some 60 ms. */
export const pskOf = (secret: string): Buffer => scryptSync(secret, SALT, KEY_BYTES, STRETCH);

/** The same on another thread. */
export const derivePsk = (secret: string): Promise<Buffer> =>
  promisify<string, string, number, typeof STRETCH, Buffer>(scrypt)(secret, SALT, KEY_BYTES, STRETCH);

/** As kcptun does; some 3 ms. */
export const kcptunPassOf = (key: string): Buffer => pbkdf2Sync(key, 'kcp-go', 4096, KEY_BYTES, 'sha1');

/** HKDF-Expand (RFC 5869) to the key of a cipher: of those with 16 bytes the first ones count. */
export const transportKey = (key: Uint8Array, cipher: KcpCipher): Buffer =>
  createHmac('sha256', key).update(`anyport kcp 1 ${cipher}\x01`, 'latin1').digest();

/**
 * Of the tokens by which a server ends links that it does not know any more. From what only the server knows, or with a secret
 * alone from that: a server that has started again comes to the same. Null: it has nothing that lasts.
 */
export function resetKeyOf({ psk, privateKey }: Pick<KcpNoise, 'psk' | 'privateKey'>): Buffer | null {
  const secret = privateKey ?? psk;
  if (secret === null) return null;
  return createHmac('sha256', Buffer.from(secret, 'hex')).update('anyport kcp reset\x01', 'latin1').digest();
}

/** Its number in a hello, and for the engine. */
export const cipherNumber = (cipher: KcpCipher): number => kcpCiphers.indexOf(cipher);

export const keyText = (key: Uint8Array): string => Buffer.from(key).toString('base64');

/** A key of 32 bytes in base64, as `anyport kcp-key` writes it; null: it is none. */
export function parseKey(text: string): Buffer | null {
  const key = Buffer.from(text, 'base64');
  return key.length === KEY_BYTES && keyText(key) === text ? key : null;
}

/** The same of a public key, which is not one of the few points that make every secret known. */
export function parsePublicKey(text: string): Buffer | null {
  const key = parseKey(text);
  return key !== null && sharedSecret(keyPairOf(randomSecret()).private, key) !== null ? key : null;
}

export const publicKeyOf = (privateKey: Uint8Array): Buffer => keyPairOf(privateKey).public;
