/** The last good state on disk: read as it was written, and refused when it is not what was written. */
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Held } from '../../src/cluster/etcd/held.js';
import { readState, StateFile, stateIn, writtenState } from '../../src/cluster/state-file.js';
import { HandClock } from '../support/clock.js';
import { type TempFolder, tempFolder } from '../support/temp.js';

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

const stateFile = (state = new Map<string, Held>()) =>
  new StateFile({ path, clock: new HandClock(), onError: () => {} }, state);

test('is read as it was written, bytes included', async () => {
  const bytes: Held = {
    revision: 7,
    items: new Map([['p/\u{1f600}', { key: 'p/\u{1f600}', value: Buffer.from([0, 255]), modRevision: 3 }]]),
  };
  const file = stateFile();
  file.save('p/', bytes);
  file.save('q/', held(1, ''));
  await file.close();
  const state = new Map([
    ['p/', bytes],
    ['q/', held(1, '')],
  ]);
  expect(await readState(path, [])).toEqual({ state });
});

test('of each prefix the newest is written, and along with it what was read and is not replaced', async () => {
  const before = new Map([
    ['p/', held(1, 'before')],
    ['q/', held(1, 'before')],
  ]);
  const file = stateFile(before);
  file.save('p/', held(2, 'between'));
  file.save('p/', held(3, 'now'));
  await file.close();
  const state = new Map([
    ['p/', held(3, 'now')],
    ['q/', held(1, 'before')],
  ]);
  expect(await readState(path, [])).toEqual({ state });
});

test('a file that is not there is an empty state', async () =>
  expect(await readState(path, [])).toEqual({ state: new Map() }));

const good = JSON.stringify(writtenState(new Map([['p/', held(5, 'x')]])));
test.each([
  { why: 'without a revision', text: good.replace('"revision":5,', '') },
  { why: 'without items', text: good.replace('"items"', '"others"') },
  { why: 'with an item of numbers', text: good.replace('"p/a"', '7') },
])('a state is refused that is $why', ({ text }) =>
  expect(stateIn(JSON.parse(text))).toEqual({ fault: 'what it says of p/ is broken' }),
);
