/** Files of networks as they are kept: each read once, again when it has changed, never less than it had. */
import { appendFileSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { native } from '../../src/addon.js';
import { ListFiles, listFileLimits } from '../../src/security/list-files.js';

let folder = '';
let reads = 0;
let files: ListFiles;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'anyport-list-files-'));
  reads = 0;
  const read = (path: string) => {
    reads += 1;
    return native.Prefixes.read(path);
  };
  files = new ListFiles({ read });
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

function written(text: string): string {
  const path = join(folder, 'list');
  writeFileSync(path, text);
  return path;
}

/** Past the time in which a file may be written once more with the same time of change. */
const settle = () => sleep(2 * listFileLimits.clockGrainMs);

test('a file in which nothing has been written is not read again', async () => {
  const path = written('10.0.0.0/8\n');
  await settle();
  const first = await files.read(path);
  expect(await files.read(path)).toBe(first);
  expect(reads).toBe(1);
  appendFileSync(path, '192.0.2.0/24\n');
  await settle();
  expect((await files.read(path)).networks?.entries).toBe(2);
  expect(reads).toBe(2);
});

test('one that was written just before is, because it may be written once more in the same moment', async () => {
  const path = written('10.0.0.0/8\n');
  utimesSync(path, 1, 1);
  await files.read(path);
  await settle();
  await files.read(path);
  expect(reads).toBe(2);
});

test('what is wrong leaves what was there last, is counted once a change, and ends with the fault', async () => {
  const path = written('10.0.0.0/8\n');
  const good = await files.read(path);
  writeFileSync(path, '10.0.0.0/8\nten\neleven\ntwelve\nthirteen\n');
  await settle();
  const bad = await files.read(path);
  expect(bad.networks).toBe(good.networks);
  expect(bad.readAtMs).toBe(good.readAtMs);
  expect(bad.problems.map(({ line }) => line)).toEqual([2, 3, 4, null]);
  expect(bad.problems.at(-1)?.message).toBe('has 1 more wrong line');
  expect(await files.read(path)).toBe(bad);
  expect(bad.failures).toBe(1);
  writeFileSync(path, '192.0.2.0/24\n');
  expect(await files.read(path)).toMatchObject({ problems: [], failures: 1 });
  expect(files.get(path).networks?.contains('10.0.0.1')).toBe(false);
});

test('what is named no more is forgotten', async () => {
  const path = written('10.0.0.0/8\n');
  await files.read(path);
  files.retain(new Set([path]));
  expect(files.get(path).networks?.entries).toBe(1);
  files.retain(new Set());
  expect(files.get(path)).toMatchObject({ networks: null, problems: [], failures: 0 });
});
