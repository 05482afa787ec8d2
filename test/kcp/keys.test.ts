/** Secrets and keys as users write them. */
import { pbkdf2Sync, scryptSync } from 'node:crypto';
import { expect, test } from 'vitest';
import {
  derivePsk,
  kcptunPassOf,
  keyText,
  parseKey,
  parsePublicKey,
  pskOf,
  publicKeyOf,
  transportKey,
} from '../../src/kcp/keys.js';

test('a secret is stretched alike by both ways, and not with the cost of a mere hash', async () => {
  const psk = pskOf('correct horse battery staple');
  expect(psk).toHaveLength(32);
  expect(await derivePsk('correct horse battery staple')).toEqual(psk);
  const options = { N: 32_768, r: 8, p: 1, maxmem: 2 ** 26 };
  expect(psk).toEqual(scryptSync('correct horse battery staple', 'anyport kcp 1', 32, options));
  expect(pskOf('correct horse battery stapler')).not.toEqual(psk);
});

test("kcptun's key", () => {
  expect(kcptunPassOf("it's a secrect")).toEqual(pbkdf2Sync("it's a secrect", 'kcp-go', 4096, 32, 'sha1'));
});

test("the public key of a private one: cacophony's server", () => {
  const secret = Buffer.from('4a3acbfdb163dec651dfa3194dece676d437029c62a408b4c5ea9114246e4893', 'hex');
  const expected = '31e0303fd6418d2f8c0e78b91f22e8caed0fbe48656dcf4767e4834f701b8f62';
  expect(publicKeyOf(secret).toString('hex')).toBe(expected);
});

test('a key is text of one form', () => {
  const key = publicKeyOf(Buffer.alloc(32, 1));
  expect(parseKey(keyText(key))).toEqual(key);
  for (const text of [
    '',
    'abc',
    keyText(key).slice(0, -1),
    ` ${keyText(key)}`,
    keyText(Buffer.alloc(31)),
    'x'.repeat(44),
  ])
    expect(parseKey(text), text).toBeNull();
});

test('a public key of low order is none', () => {
  expect(parsePublicKey(keyText(publicKeyOf(Buffer.alloc(32, 1))))).not.toBeNull();
  for (const point of [Buffer.alloc(32), Buffer.concat([Buffer.from([1]), Buffer.alloc(31)])])
    expect(parsePublicKey(keyText(point))).toBeNull();
});

test('keys of ciphers differ', () => {
  const key = Buffer.alloc(32, 1);
  const keys = (['chacha20-poly1305', 'aes-128-gcm', 'xsalsa20-poly1305', 'none'] as const).map((cipher) =>
    transportKey(key, cipher).toString('hex'),
  );
  expect(new Set(keys).size).toBe(4);
});
