/** The table itself. */
import { expect, test } from 'vitest';
import type { Transport } from '../../src/model/protocol.js';
import { checkSignature } from '../../src/protocols/dfa/signature.js';
import { protocolById, protocols } from '../../src/protocols/index.js';
import { cases, datagrams } from '../cases/index.js';

test.each(protocols)('$id is complete', (protocol) => {
  expect(checkSignature(protocol.signature)).toEqual([]);
  expect(protocol.id).toMatch(/^[a-z0-9]+$/);
  expect(protocol.words).not.toBe('');
  expect(protocol.source).not.toBe('');
  expect(protocol.transports).not.toEqual([]);
  expect(protocolById(protocol.id)).toBe(protocol);
});

test('ids are unique, ranks ascend, and each has its cases', () => {
  const ids = protocols.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  const ranks = protocols.map(({ rank }) => rank);
  expect(ranks).toEqual(ranks.toSorted((a, b) => a - b));
  const withTransport = (transport: Transport) =>
    protocols.filter(({ transports }) => transports.includes(transport)).map(({ id }) => id);
  expect(new Set(Object.keys(cases))).toEqual(new Set(withTransport('tcp')));
  expect(new Set(Object.keys(datagrams))).toEqual(new Set(withTransport('udp')));
  expect(protocolById('no such')).toBeUndefined();
});
