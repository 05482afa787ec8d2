/** docs/limits.md is written by hand: what it names must be there. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { configurationDocs } from '../../src/config/docs.js';
import { catalog } from '../../src/metrics/catalog.js';
import { reasons } from '../../src/model/session.js';

const text = readFileSync('docs/limits.md', 'utf8');
const rows = text
  .split('\n')
  .filter((line) => line.startsWith('|'))
  .slice(2)
  .map((line) =>
    line
      .slice(1, -1)
      .split(/(?<!\\)\|/)
      .map((cell) => cell.trim()),
  );

/** Keys, as the reference writes them. */
const keys = configurationDocs()
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .map((line) => line.split('`')[1]);

const named = (cell: string | undefined, pattern: RegExp) =>
  [...(cell ?? '').matchAll(pattern)].map((match) => match[1]);

test('every row says limit, default, key, what happens, counter', () => {
  for (const row of rows) expect(row, row[0]).toHaveLength(5);
});

test('no limit is listed twice', () => {
  expect(new Set(rows.map(([limit]) => limit)).size).toBe(rows.length);
});

describe('what a row names is there', () => {
  test.each(rows)('%s', (_limit, _default, key, _happens, counter) => {
    if (key !== 'fixed') {
      const written = named(key, /`([^`]+)`/g);
      expect(written).not.toHaveLength(0);
      expect(keys).toEqual(expect.arrayContaining(written));
    }
    expect(Object.keys(catalog)).toEqual(expect.arrayContaining(named(counter, /`(anyport_[a-z_]+)/g)));
    // Lower-case words behind "reason" are reasons; "log" and "warning" are not.
    const after = /reason ((?:`[a-z_]+`(?: or |, )?)+)/.exec(counter ?? '')?.[1];
    expect(reasons).toEqual(expect.arrayContaining(named(after, /`([a-z_]+)`/g)));
  });
});
