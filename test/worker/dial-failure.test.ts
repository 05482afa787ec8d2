import { constants } from 'node:os';
import { expect, test } from 'vitest';
import { native } from '../../src/addon.js';
import { errorName, reasonOfFailure } from '../../src/worker/dial-failure.js';

const { ECONNREFUSED, EHOSTUNREACH, EADDRNOTAVAIL, ENODEV, ETIMEDOUT, EMFILE, ENFILE } = constants.errno;

const { no_such_source, families_differ } = native.dialErrors;

test.each([
  [ECONNREFUSED, 'ECONNREFUSED', 'upstream', 'connect_failed', true, undefined],
  [EHOSTUNREACH, 'EHOSTUNREACH', 'upstream', 'connect_failed', true, undefined],
  [ETIMEDOUT, 'ETIMEDOUT', 'timeout', 'connect_timeout', true, undefined],
  [EADDRNOTAVAIL, 'EADDRNOTAVAIL', 'proxy', 'over_limit', true, 'ports'],
  [no_such_source, 'no_such_source', 'proxy', 'connect_failed', true, 'source'],
  [families_differ, 'families_differ', 'proxy', 'connect_failed', true, 'family'],
  [ENODEV, 'ENODEV', 'proxy', 'connect_failed', true, 'interface'],
  [EMFILE, 'EMFILE', 'proxy', 'over_limit', false, 'files'],
  [ENFILE, 'ENFILE', 'proxy', 'over_limit', false, 'files'],
])(
  'error %i, %s, is the fault of %s: %s; try elsewhere: %s; lacking: %s',
  (error, name, by, reason, elsewhere, lacking) => {
    expect(errorName(error)).toBe(name);
    expect(reasonOfFailure(error)).toEqual({ by, reason, elsewhere, ...(lacking && { lacking }) });
  },
);
