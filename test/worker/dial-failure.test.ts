import { constants } from 'node:os';
import { expect, test } from 'vitest';
import { reasonOfFailure } from '../../src/worker/dial-failure.js';

const { ECONNREFUSED, EHOSTUNREACH, EADDRNOTAVAIL, ETIMEDOUT, EMFILE, ENFILE } = constants.errno;

test.each([
  [ECONNREFUSED, 'upstream', 'connect_failed', true],
  [EHOSTUNREACH, 'upstream', 'connect_failed', true],
  [EADDRNOTAVAIL, 'proxy', 'over_limit', true],
  [ETIMEDOUT, 'timeout', 'connect_timeout', true],
  [EMFILE, 'proxy', 'over_limit', false],
  [ENFILE, 'proxy', 'over_limit', false],
])('errno %i is the fault of %s: %s; try elsewhere: %s', (errno, by, reason, elsewhere) => {
  expect(reasonOfFailure(errno)).toEqual({ by, reason, elsewhere });
});
