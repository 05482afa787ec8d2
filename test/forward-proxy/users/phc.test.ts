/** Hashes of passwords as text: what is written is read again, and what is no good is refused without being shown. */
import { describe, expect, test } from 'vitest';
import { hashText, parseHash } from '../../../src/forward-proxy/users/phc.js';
import { deriveKey, hashPassword } from '../../../src/forward-proxy/users/scrypt.js';

const salt = Buffer.alloc(16, 1);
const hash = Buffer.alloc(32, 2);
const good = hashText({ ln: 15, r: 8, p: 1, salt, hash });
const withCosts = (costs: string) => good.replace('ln=15,r=8,p=1', costs);
const faultOf = (text: string): string => {
  const parsed = parseHash(text);
  return 'fault' in parsed ? parsed.fault : '';
};

test('what is written is read again', () => {
  expect(good).toMatch(/^\$scrypt\$ln=15,r=8,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
  expect(parseHash(good)).toEqual({ ln: 15, r: 8, p: 1, salt, hash });
});

test('a password and its hash belong together; equal passwords have different hashes', async () => {
  const costs = { ln: 14, r: 8, p: 1 };
  const [text, other] = await Promise.all([
    hashPassword(Buffer.from('tr0ub4dor'), costs),
    hashPassword(Buffer.from('tr0ub4dor'), costs),
  ]);
  expect(text).not.toBe(other);
  const parsed = parseHash(text);
  if ('fault' in parsed) throw new Error(parsed.fault);
  expect(await deriveKey(Buffer.from('tr0ub4dor'), parsed.salt, parsed, 32)).toEqual(parsed.hash);
  expect(await deriveKey(Buffer.from('tr0ub4dos'), parsed.salt, parsed, 32)).not.toEqual(parsed.hash);
});

/** RFC 7914 section 12, the third vector. */
test('scrypt is that of the RFC', async () => {
  const key = await deriveKey(
    Buffer.from('pleaseletmein'),
    Buffer.from('SodiumChloride'),
    { ln: 14, r: 8, p: 1 },
    64,
  );
  expect(key.toString('hex')).toBe(
    '7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2' +
      'd5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887',
  );
});

describe('refused', () => {
  test.each([
    ['ln=10,r=8,p=1', 'is guessed too cheaply (ln=10,r=8,p=1): at least ln=14,r=8,p=1'],
    ['ln=13,r=8,p=1', 'is guessed too cheaply'],
    ['ln=17,r=8,p=1', 'costs too much for every login (ln=17,r=8,p=1): at most ln=16,r=8,p=4'],
    ['ln=99,r=8,p=1', 'costs too much'],
    ['ln=15,r=0,p=1', 'is guessed too cheaply'],
    ['ln=14,r=8,p=999', 'costs too much'],
    ['ln=15,r=8', 'is not written as hashes of scrypt are'],
    ['r=8,ln=15,p=1', 'is not written as hashes of scrypt are'],
  ])('%s', (costs, expected) => expect(faultOf(withCosts(costs))).toContain(expected));

  test.each([
    ['$2y$05$abcdefghijklmnopqrstuv', 'a hash of bcrypt'],
    ['$apr1$salt$digest', 'a hash of MD5'],
    ['$argon2id$v=19$m=1$a$b', 'a hash of Argon2'],
    ['{SHA}abc', 'a hash of LDAP'],
    ['', 'is no hash: `anyport hash-password` makes one'],
    ['hunter2', 'is no hash'],
  ])('%s', (text, expected) => expect(faultOf(text)).toContain(expected));

  test('a short salt, a short hash', () => {
    expect(faultOf(hashText({ ln: 15, r: 8, p: 1, salt: Buffer.alloc(4), hash }))).toContain(
      'a salt of 4 bytes',
    );
    expect(faultOf(hashText({ ln: 15, r: 8, p: 1, salt, hash: Buffer.alloc(8) }))).toContain(
      'a hash of 8 bytes',
    );
  });

  test('and never shown, for it may be a password', () => {
    for (const text of ['hunter2', '$2y$hunter2', '$scrypt$hunter2'])
      expect(faultOf(text)).not.toContain('hunter2');
  });
});
