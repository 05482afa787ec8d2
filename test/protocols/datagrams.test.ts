/** A datagram is the whole prefix: every case by its name, and every datagram against every protocol. */
import { describe, expect, test } from 'vitest';
import { identifyBytes } from '../../src/protocols/identify.js';
import { datagrams } from '../cases/index.js';

describe.each(Object.entries(datagrams))('%s', (_id, list) => {
  test.each(list)('$why', ({ bytes, expect: due }) => {
    expect(identifyBytes([bytes], 'udp').protocol).toBe(due);
  });
});
