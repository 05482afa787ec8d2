/** Bans as signed values in etcd: what is taken, and what is refused and why. */
import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { formatNote, noteLimits, parseNote } from '../../src/cluster/ban-notes.js';
import { banLimits } from '../../src/model/ban.js';
import type { BanNote } from '../../src/model/ban-note.js';

const SECRET = 'k'.repeat(32);
const KEY = '/anyport/bans/n1';
const bans: BanNote[] = [
  { address: '192.0.2.7', leftMs: 60_000 },
  { address: '2001:db8::', leftMs: 1 },
];
const read = (value: string | Buffer, { key = KEY, revision = 101, secret = SECRET } = {}) =>
  parseNote(secret, '/anyport', { key, value: Buffer.from(value as string), modRevision: revision });
const note = formatNote(SECRET, KEY, 100, bans);

test('what is signed with the key of the cluster is taken', () =>
  expect(read(note)).toEqual({ node: 'n1', bans }));

test('the largest value fits', () => {
  const most = Array.from({ length: noteLimits.bansMax }, () => ({
    address: '2001:0db8:1111:2222::',
    leftMs: banLimits.forMsMax,
  }));
  const value = formatNote(SECRET, KEY, 100, [...most, ...most]);
  expect(Buffer.byteLength(value)).toBeLessThanOrEqual(noteLimits.bytesMax);
  expect(read(value)).toMatchObject({ bans: { length: noteLimits.bansMax } });
});

describe('is refused', () => {
  test('another key of the cluster', () =>
    expect(read(note, { secret: 'x'.repeat(32) })).toMatchObject({ refused: 'signature' }));

  test('the value of another node, or of another cluster', () => {
    expect(read(note, { key: '/anyport/bans/n2' })).toMatchObject({ refused: 'signature' });
    const other = formatNote(SECRET, '/other/bans/n1', 100, bans);
    expect(read(other)).toMatchObject({ refused: 'signature' });
  });

  test('every change of a byte that matters', () => {
    const { signed, hmac } = JSON.parse(note);
    expect(read(JSON.stringify({ signed: signed.replace('192', '193'), hmac }))).toMatchObject({
      refused: 'signature',
    });
    expect(
      read(JSON.stringify({ signed, hmac: hmac.replace(/^./, (c: string) => (c === '0' ? '1' : '0')) })),
    ).toMatchObject({ refused: 'signature' });
    for (const wrong of ['', 'zz', hmac.slice(2), hmac.slice(0, 62)])
      expect(read(JSON.stringify({ signed, hmac: wrong }))).toMatchObject({ refused: 'signature' });
  });

  test('what has been signed long ago, or for a store that is no more: no clock is asked', () => {
    const last = 100 + noteLimits.writesMax;
    expect(read(note, { revision: last })).toHaveProperty('bans');
    expect(read(note, { revision: last + 1 })).toMatchObject({ refused: 'old' });
    expect(read(note, { revision: 100 })).toMatchObject({ refused: 'old' });
    expect(read(note, { revision: 7 })).toMatchObject({ refused: 'old' });
  });

  const signedAs = (signed: string) =>
    JSON.stringify({ signed, hmac: createHmac('sha256', SECRET).update(`${KEY}\0${signed}`).digest('hex') });
  const row = (...each: unknown[]) => signedAs(JSON.stringify({ revision: 100, bans: [each] }));
  const many = Array.from({ length: noteLimits.bansMax + 1 }, () => ['192.0.2.7', 1]);
  const malformed: { why: string; value: string | Buffer; key?: string }[] = [
    { why: 'a key that is no node', value: note, key: '/anyport/bans/a/b' },
    { why: 'binary', value: Buffer.from([0xff, 0]) },
    { why: 'nothing', value: '' },
    { why: 'a list', value: '[]' },
    { why: 'no signature', value: '{"signed":"{}"}' },
    { why: 'an object that is signed', value: '{"signed":{},"hmac":"00"}' },
    { why: 'a huge one', value: JSON.stringify({ signed: 'x'.repeat(noteLimits.bytesMax), hmac: '' }) },
    { why: 'signed nonsense', value: signedAs('nonsense') },
    { why: 'no revision', value: signedAs('{"bans":[]}') },
    { why: 'too many', value: signedAs(JSON.stringify({ revision: 100, bans: many })) },
    { why: 'a name', value: row('example.org', 1000) },
    { why: 'a network', value: row('192.0.2.0/24', 1000) },
    { why: 'a scope', value: row('fe80::1%lo', 1000) },
    { why: 'no time', value: row('192.0.2.7') },
    { why: 'a time that is over', value: row('192.0.2.7', 0) },
    { why: 'half a millisecond', value: row('192.0.2.7', 0.5) },
    { why: 'for ever', value: row('192.0.2.7', banLimits.forMsMax + 1) },
    { why: 'a time as text', value: row('192.0.2.7', '1000') },
  ];
  test.each(malformed)('$why', ({ value, key }) =>
    expect(read(value, key === undefined ? {} : { key })).toMatchObject({ refused: 'malformed' }),
  );
});
