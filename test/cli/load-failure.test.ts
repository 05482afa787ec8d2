import { constants } from 'node:os';
import { getSystemErrorName } from 'node:util';
import { expect, test } from 'vitest';
import { whyNotLoaded } from '../../src/cli/load-failure.js';

test('a thread that is not allowed is one line that says what to allow', () => {
  const error = new Error(getSystemErrorName(-constants.errno.EAGAIN));
  const line = whyNotLoaded(Object.assign(error, { code: 'ERR_WORKER_INIT_FAILED' }));
  expect(line).toBe(
    'can not start a thread (EAGAIN): allow more, as `ulimit -u` or TasksMax of systemd does',
  );
});
