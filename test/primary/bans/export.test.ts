/** The file with the banned addresses. */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BanExport } from '../../../src/primary/bans/export.js';
import { type TempFolder, tempFolder } from '../../support/temp.js';
import { eventually } from '../../support/wait.js';

let folder: TempFolder;
let file: string;
let told: (string | null)[];
let target: BanExport;

beforeEach(() => {
  folder = tempFolder();
  file = `${folder.path}/bans`;
  told = [];
  target = new BanExport((_, error) => told.push(error));
  target.to(file);
});

afterEach(() => folder.remove());

const text = () => (existsSync(file) ? readFileSync(file, 'utf8') : null);
const becomes = (wanted: string) =>
  eventually(`the file to be ${JSON.stringify(wanted)}`, () => text() === wanted);

describe('the file', () => {
  test('has an address a line, and others may read it', async () => {
    target.write(['192.0.2.7', '2001:db8::/64']);
    await becomes('192.0.2.7\n2001:db8::/64\n');
    expect(statSync(file).mode & 0o444).toBe(0o444);
    expect(readdirSync(folder.path)).toEqual(['bans']);
  });

  test('is replaced as a whole, and of many lists the last one stays', async () => {
    const seen = new Set<string | null>();
    for (let each = 0; each < 200; each += 1) {
      target.write(Array.from({ length: 1000 }, (_, index) => `10.${each}.${index >> 8}.${index & 255}`));
      if (each % 10 === 0) await new Promise(setImmediate);
      seen.add(text());
    }
    await eventually('the last list', () => text()?.startsWith('10.199.0.0\n') ?? false);
    for (const content of [...seen, text()]) {
      if (content !== null) expect(content.split('\n')).toHaveLength(1001);
    }
    target.write([]);
    await becomes('');
  });

  test('an error is told once, and so is its end', async () => {
    mkdirSync(`${folder.path}/in`);
    file = `${folder.path}/in/bans`;
    rmSync(`${folder.path}/in`, { recursive: true });
    target.to(file);
    target.write(['192.0.2.1']);
    await eventually('the error', () => told.length === 1);
    target.write(['192.0.2.2']);
    mkdirSync(`${folder.path}/in`);
    target.write(['192.0.2.3']);
    await becomes('192.0.2.3\n');
    await eventually('its end', () => told.length === 2);
    expect(told).toEqual([`there is no folder ${folder.path}/in: make it, writable for this user`, null]);
  });

  test.each([
    { why: 'a folder', at: (path: string) => path, says: () => 'it is a folder: name a file' },
    {
      why: 'in a file',
      at: (path: string) => `${path}/plain/bans`,
      says: (path: string) => `${path}/plain is no folder`,
    },
  ])('$why: what to mend is said', async ({ at, says }) => {
    writeFileSync(`${folder.path}/plain`, '');
    target.to(at(folder.path));
    target.write(['192.0.2.1']);
    await eventually('the error', () => told.length === 1);
    expect(told).toEqual([says(folder.path)]);
  });

  test('what has failed is written when it is asked for again, and what it has already is not', async () => {
    file = `${folder.path}/in/bans`;
    target.to(file);
    target.write(['192.0.2.1']);
    await eventually('the error', () => told.length === 1);
    mkdirSync(`${folder.path}/in`);
    target.write(['192.0.2.1']);
    await becomes('192.0.2.1\n');
    const { ino } = statSync(file);
    target.write(['192.0.2.1']);
    target.write(['192.0.2.1']);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(statSync(file).ino).toBe(ino);
  });

  test('a link beside it is not followed', async () => {
    const victim = `${folder.path}/victim`;
    writeFileSync(victim, 'precious');
    symlinkSync(victim, `${file}.${process.pid}.tmp`);
    symlinkSync(victim, file);
    target.write(['192.0.2.1']);
    await becomes('192.0.2.1\n');
    expect(readFileSync(victim, 'utf8')).toBe('precious');
  });

  test('without a path nothing is written', async () => {
    target.to(null);
    target.write(['192.0.2.1']);
    await new Promise(setImmediate);
    expect(text()).toBeNull();
    expect(target.isOn).toBe(false);
  });
});
