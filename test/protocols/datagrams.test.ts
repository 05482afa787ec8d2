/** Datagrams are complete prefixes: every case is identified, and every datagram is tried against every protocol. */
import { describe, expect, test } from 'vitest';
import { identifyBytes } from '../../src/protocols/identify.js';
import { datagrams } from '../cases/index.js';

describe.each(Object.entries(datagrams))('%s', (_id, list) => {
  test.each(list)('$why', ({ bytes, expect: due }) => {
    expect(identifyBytes([bytes], 'udp').protocol).toBe(due);
  });
});
