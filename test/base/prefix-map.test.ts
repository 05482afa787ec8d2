import { expect, test } from 'vitest';
import { createNetworkSet } from '../../src/base/network.js';
import { PrefixMap } from '../../src/base/prefix-map.js';

const networks = [
  '0.0.0.0/0',
  '10.0.0.0/8',
  '10.1.2.3/8',
  '10.1.2.3',
  '::/0',
  '2001:db8::/32',
  '2001:db8::1',
  '::ffff:10.0.0.0/104',
  '::ffff:0:0/90',
  'fe80::/10',
];

const addresses = [
  '10.1.2.3',
  '10.200.0.1',
  '192.168.0.1',
  '::ffff:10.1.2.3',
  '0:0:0:0:0:ffff:a01:203',
  '2001:db8::1',
  '2001:DB8:0:0::1',
  '2001:db9::1',
  '1:2:3:4:5:6:7:8',
  '::',
  '64:ff9b::10.0.0.1',
  'fe80::1%eth0',
  'unix',
  '',
];

/** The oracle tests each network by itself. */
test.each(addresses)('finds for %s the networks that hold it, and no other', (address) => {
  const map = new PrefixMap<string[]>();
  for (const network of networks) map.at(network, () => []).push(network);
  const expected = networks.filter((network) => createNetworkSet([network])(address));
  expect(new Set(map.holding(address).flat())).toEqual(new Set(expected));
});

test('a text that is no network is a fault of whoever gives it', () => {
  expect(() => new PrefixMap().at('10.0.0.0/33', () => 0)).toThrow('10.0.0.0/33 is no network');
});
