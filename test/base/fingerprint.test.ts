/** Contents of files, while their paths become something else. */
import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fingerprintOf } from '../../src/base/file-watch/fingerprint.js';
import { type TempFolder, tempFolder } from '../support/temp.js';
import { within } from '../support/wait.js';

/** More than threads that read files. */
const ROUNDS = 8;
/** For a thread to have looked at the path. */
const LOOK_MS = 20;

let folder: TempFolder;

beforeEach(() => {
  folder = tempFolder();
});

afterEach(() => {
  folder.remove();
});

test('a pipe that takes the path of a file keeps no thread that reads files', async () => {
  const [path, file, pipe, next] = ['list', 'file', 'pipe', 'next'].map(
    (name) => `${folder.path}/${name}`,
  ) as [string, string, string, string];
  writeFileSync(file, 'content');
  execFileSync('mkfifo', [pipe]);
  const pointTo = (target: string) => {
    symlinkSync(target, next);
    renameSync(next, path);
  };
  const pause = new Int32Array(new SharedArrayBuffer(4));
  try {
    for (let round = 0; round < ROUNDS; round += 1) {
      pointTo(file);
      const found = fingerprintOf(path);
      Atomics.wait(pause, 0, 0, LOOK_MS); // it is a file; what comes next waits for this thread
      pointTo(pipe);
      expect(['special', 'file']).toContain(
        (await within('a fingerprint', found, 5000)).content.split(' ')[0],
      );
    }
    pointTo(file);
    expect((await within('a thread that reads files', fingerprintOf(path), 5000)).content).toMatch(/^file /);
  } finally {
    closeSync(openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK)); // frees who waits for a writer
  }
});
