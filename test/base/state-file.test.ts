/** What was known last on disk: written as a whole, for its user alone, and refused when it is not what was written. */
import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readStateFile, StateWriter, stateLimits } from '../../src/base/state-file.js';
import { HandClock } from '../support/clock.js';
import { runProgram } from '../support/process.js';
import { type TempFolder, tempFolder } from '../support/temp.js';
import { describeAsRoot } from '../support/tools.js';
import { eventually } from '../support/wait.js';

const kind = { name: 'things', version: 3 };

let folder: TempFolder;
let path: string;
beforeEach(() => {
  folder = tempFolder();
  path = join(folder.path, 'state');
});
afterEach(() => folder.remove());

function stateFile() {
  const clock = new HandClock();
  const errors: (string | null)[] = [];
  return {
    clock,
    errors,
    file: new StateWriter({ path, kind, clock, onError: (error) => errors.push(error) }),
  };
}

const refused = (fault: string) => ({ fault: expect.stringContaining(fault) });

test('is read as it was written, and is for its user alone', async () => {
  const { file } = stateFile();
  file.save(() => ({ a: [1, '\u{1f600}'] }));
  await file.close();
  expect(await readStateFile(path, kind)).toEqual({ state: { a: [1, '\u{1f600}'] } });
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readdirSync(folder.path)).toEqual(['state']);
});

test('changes are gathered, and the newest is written', async () => {
  const { clock, file } = stateFile();
  for (let revision = 1; revision <= 100; revision += 1) file.save(() => revision);
  await clock.advance(stateLimits.gatherMs - 1);
  expect(readdirSync(folder.path)).toEqual([]);
  await clock.advance(1);
  await eventually('the file', () => readdirSync(folder.path).includes('state'));
  await file.close();
  expect(await readStateFile(path, kind)).toEqual({ state: 100 });
  expect(clock.waiting).toBe(0);
});

test('what can not be written is told once, tried again, and told when it is written', async () => {
  const { clock, errors, file } = stateFile();
  mkdirSync(path);
  file.save(() => 'x');
  await clock.advance(stateLimits.gatherMs);
  await eventually('a word', () => errors.length === 1);
  await eventually('another attempt', () => clock.waiting === 1);
  await clock.advance(stateLimits.retryMs);
  await eventually('one more', () => clock.waiting === 1);
  expect(errors).toEqual(['it is a folder: name a file']);
  rmSync(path, { recursive: true });
  await clock.advance(stateLimits.retryMs);
  await eventually('another word', () => errors.length === 2);
  expect(errors[1]).toBeNull();
  await file.close();
  expect(await readStateFile(path, kind)).toEqual({ state: 'x' });
  expect(clock.waiting).toBe(0);
});

test('a link beside it is not followed', async () => {
  const victim = join(folder.path, 'victim');
  writeFileSync(victim, 'precious');
  symlinkSync(victim, `${path}.${process.pid}.tmp`);
  const { file } = stateFile();
  file.save(() => 'x');
  await file.close();
  expect(readFileSync(victim, 'utf8')).toBe('precious');
});

test('where there is no file nothing is known; a folder, a pipe and a huge file are refused', async () => {
  expect(await readStateFile(path, kind)).toEqual({ state: undefined });
  expect(await readStateFile(folder.path, kind)).toEqual(refused('it is no file'));
  await runProgram('mkfifo', [`${path}.pipe`]);
  expect(await readStateFile(`${path}.pipe`, kind)).toEqual(refused('it is no file'));
  writeFileSync(path, '', { mode: 0o600 });
  truncateSync(path, stateLimits.bytesMax + 1);
  expect(await readStateFile(path, kind)).toEqual(refused('more than'));
});

const good = JSON.stringify({ kind: 'things', version: 3, state: 7 });
test.each([
  { why: 'cut', text: good.slice(0, -4), fault: 'no JSON' },
  { why: 'empty', text: '', fault: 'no JSON' },
  { why: 'of an older version', text: good.replace('3', '2'), fault: 'of version 2, where 3 is known' },
  { why: 'without a version', text: '{"kind":"things"}', fault: 'of version undefined' },
  { why: 'of something else', text: good.replace('things', 'others'), fault: 'not of things' },
  { why: 'a list', text: '[]', fault: 'not of things' },
  { why: 'nothing', text: 'null', fault: 'not of things' },
])('a file is refused that is $why', async ({ text, fault }) => {
  writeFileSync(path, text, { mode: 0o600 });
  expect(await readStateFile(path, kind)).toEqual(refused(fault));
});

test('a file that others may write to is not believed', async () => {
  writeFileSync(path, good);
  for (const mode of [0o620, 0o602]) {
    chmodSync(path, mode);
    expect(await readStateFile(path, kind)).toEqual(refused('others than its user'));
  }
  chmodSync(path, 0o644);
  expect(await readStateFile(path, kind)).toEqual({ state: 7 });
});

describeAsRoot('of other users', () => {
  test('only the file of one that is named is believed', async () => {
    writeFileSync(path, good, { mode: 0o600 });
    chownSync(path, 43_210, 0);
    expect(await readStateFile(path, kind)).toEqual(refused('a file of user 43210'));
    expect(await readStateFile(path, kind, [43_210])).toEqual({ state: 7 });
  });
});
