/** The last good state on disk: written as a whole, for its user alone, and refused when it is not what was written. */
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Held } from '../../src/cluster/etcd/held.js';
import { formatState, parseState, readState, StateFile, stateLimits } from '../../src/cluster/state-file.js';
import { HandClock } from '../support/clock.js';
import { type TempFolder, tempFolder } from '../support/temp.js';
import { eventually } from '../support/wait.js';

const held = (revision: number, value: string): Held => ({
  revision,
  items: new Map([['p/a', { key: 'p/a', value: Buffer.from(value), modRevision: revision }]]),
});

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
  return { clock, errors, file: new StateFile({ path, clock, onError: (error) => errors.push(error) }) };
}

test('is read as it was written, bytes included', async () => {
  const bytes: Held = {
    revision: 7,
    items: new Map([['p/\u{1f600}', { key: 'p/\u{1f600}', value: Buffer.from([0, 255]), modRevision: 3 }]]),
  };
  const { file } = stateFile();
  file.save('p/', bytes);
  file.save('q/', held(1, ''));
  await file.close();
  expect(await readState(path)).toEqual({
    state: new Map([
      ['p/', bytes],
      ['q/', held(1, '')],
    ]),
  });
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readdirSync(folder.path)).toEqual(['state']);
});

test('changes are gathered, and the newest is written', async () => {
  const { clock, file } = stateFile();
  for (let revision = 1; revision <= 100; revision += 1) file.save('p/', held(revision, 'x'));
  await clock.advance(stateLimits.gatherMs - 1);
  expect(readdirSync(folder.path)).toEqual([]);
  await clock.advance(1);
  await eventually('the file', () => readdirSync(folder.path).includes('state'));
  await file.close();
  expect(await readState(path)).toEqual({ state: new Map([['p/', held(100, 'x')]]) });
});

test('what can not be written is told once, and so is the end of it', async () => {
  const { clock, errors, file } = stateFile();
  mkdirSync(path);
  for (const revision of [1, 2]) {
    file.save('p/', held(revision, 'x'));
    await clock.advance(stateLimits.gatherMs);
  }
  await file.close();
  expect(errors).toHaveLength(1);
  expect(readdirSync(folder.path)).toEqual(['state']);
});

test('a link beside it is not followed', async () => {
  const victim = join(folder.path, 'victim');
  writeFileSync(victim, 'precious');
  symlinkSync(victim, `${path}.${process.pid}.tmp`);
  const { file } = stateFile();
  file.save('p/', held(1, 'x'));
  await file.close();
  expect(readFileSync(victim, 'utf8')).toBe('precious');
});

test('a file that is not there is an empty state; a folder and a huge file are faults', async () => {
  expect(await readState(path)).toEqual({ state: new Map() });
  expect(await readState(folder.path)).toMatchObject({ fault: expect.stringContaining('it is no file') });
  writeFileSync(path, '');
  truncateSync(path, stateLimits.bytesMax + 1);
  expect(await readState(path)).toMatchObject({ fault: expect.stringContaining('more than') });
});

const good = formatState(new Map([['p/', held(5, 'x')]]));
test.each([
  { why: 'cut', text: good.slice(0, -4), fault: 'no JSON' },
  { why: 'of another version', text: good.replace('"version":1', '"version":2'), fault: 'version 2' },
  { why: 'without a version', text: '{}', fault: 'version undefined' },
  { why: 'a list', text: '[]', fault: 'version undefined' },
  { why: 'without a revision', text: good.replace('"revision":5,', ''), fault: 'p/ is broken' },
  { why: 'an item of numbers', text: good.replace('"p/a"', '7'), fault: 'p/ is broken' },
])('a state is refused that is $why', ({ text, fault }) =>
  expect(parseState('f', text)).toMatchObject({ fault: expect.stringContaining(fault) }),
);
