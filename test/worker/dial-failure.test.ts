import { constants } from 'node:os';
import { expect, test } from 'vitest';
import { reasonOfFailure } from '../../src/worker/dial-failure.js';

const { ECONNREFUSED, EHOSTUNREACH, EADDRNOTAVAIL, ETIMEDOUT, EMFILE, ENFILE } = constants.errno;

test.each([
  [ECONNREFUSED, 'upstream', 'connect_failed'],
  [EHOSTUNREACH, 'upstream', 'connect_failed'],
  [EADDRNOTAVAIL, 'upstream', 'connect_failed'],
  [ETIMEDOUT, 'timeout', 'connect_timeout'],
  [EMFILE, 'proxy', 'over_limit'],
  [ENFILE, 'proxy', 'over_limit'],
])('errno %i is the fault of %s: %s', (errno, by, reason) => {
  expect(reasonOfFailure(errno)).toEqual({ by, reason });
});
