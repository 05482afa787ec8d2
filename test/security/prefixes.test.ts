/** Sets of networks as the primary has them: from texts, from files on a thread of their own, joined. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type ListFault, native, type Prefixes } from '../../src/addon.js';

let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'anyport-prefixes-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

function fileOf(text: string): string {
  const path = join(folder, 'list');
  writeFileSync(path, text);
  return path;
}

const readOf = async (text: string) => native.Prefixes.read(fileOf(text));

test('IPv4-mapped addresses are IPv4, and `::/0` is IPv6 alone', () => {
  const ten = new native.Prefixes(['10.0.0.0/8']);
  expect([ten.contains('10.1.2.3'), ten.contains('::ffff:10.1.2.3'), ten.contains('11.0.0.0')]).toEqual([
    true,
    true,
    false,
  ]);
  const six = new native.Prefixes(['::/0']);
  expect([six.contains('::1'), six.contains('10.1.2.3'), six.contains('::ffff:10.1.2.3')]).toEqual([
    true,
    false,
    false,
  ]);
});

test('a list is read from a file, and several are joined', async () => {
  const read = (await readOf('# ours\r\n192.0.2.0/24\r\n\r\n2001:db8::/32 # docs\n')) as Prefixes;
  expect(read.entries).toBe(2);
  const joined = await native.Prefixes.join([read, new native.Prefixes(['203.0.113.7'])]);
  expect(joined.entries).toBe(3);
  for (const address of ['192.0.2.9', '2001:db8::1', '203.0.113.7'])
    expect(joined.contains(address), address).toBe(true);
  expect(read.contains('203.0.113.7')).toBe(false);
  expect(joined.bytes).toBeGreaterThan(0);
});

test('what is wrong with a file is said, with the first lines that are', async () => {
  const wrong = (await readOf('10.0.0.1\n10.0.0.0/33\nnot an address\n')) as ListFault;
  expect(wrong).toEqual({
    fault: 'wrong_lines',
    wrong: 2,
    lines: [
      { number: 2, text: '10.0.0.0/33' },
      { number: 3, text: 'not an address' },
    ],
  });
  const missing = (await native.Prefixes.read(join(folder, 'nowhere'))) as ListFault;
  expect(missing).toMatchObject({ fault: 'unreadable', error: { code: 'ENOENT' } });
  expect(await native.Prefixes.read(folder)).toMatchObject({ fault: 'not_regular' });
});

test('the loop turns while a long list is read', async () => {
  const lines = Array.from({ length: 300_000 }, (_, i) => `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}\n`);
  let isRead = false as boolean;
  let turns = 0;
  const count = () => {
    turns += 1;
    if (!isRead) setImmediate(count);
  };
  const reading = readOf(lines.join(''));
  setImmediate(count);
  const read = (await reading) as Prefixes;
  isRead = true;
  expect(read.entries).toBe(300_000);
  expect(turns).toBeGreaterThan(10);
});

test('a set that is released is empty; one that was made of it is not', async () => {
  const set = new native.Prefixes(['10.0.0.0/8', '2001:db8::/32']);
  const joined = await native.Prefixes.join([set, new native.Prefixes(['192.0.2.0/24'])]);
  const bytes = set.bytes;
  set.release();
  expect([set.entries, set.contains('10.0.0.1'), set.bytes < bytes]).toEqual([0, false, true]);
  expect([joined.entries, joined.contains('10.0.0.1')]).toEqual([3, true]);
});

test('anything else than texts, paths and sets is refused', async () => {
  const wrong = (value: unknown) => value as never;
  expect(() => new native.Prefixes(['10.0.0.0/8', 'ten'])).toThrow('ten is no network');
  expect(() => new native.Prefixes(wrong('10.0.0.0/8'))).toThrow('an array is expected');
  expect(() => native.Prefixes.read(wrong(7))).toThrow('a string is expected');
  expect(() => native.Prefixes.join(wrong([{}]))).toThrow('Prefixes are expected');
  expect(() => new native.Prefixes([]).contains('ten')).toThrow('ten is no address');
});
