import { describe, expect, test } from 'vitest';
import { createNetworkSet, isNetwork } from '../../src/base/network.js';

describe('isNetwork', () => {
  test.each(['10.0.0.0/8', '10.0.0.1', '::1', '2001:db8::/32', '0.0.0.0/0', '::/0'])('%s', (text) =>
    expect(isNetwork(text)).toBe(true),
  );
  test.each(['10.0.0.0/33', '::/129', '10.0.0/8', '10.0.0.0/', '10.0.0.0/8/8', 'fe80::1%eth0', 'web', ''])(
    'not "%s"',
    (text) => expect(isNetwork(text)).toBe(false),
  );
});

describe('createNetworkSet', () => {
  const contains = createNetworkSet(['10.0.0.0/8', '192.0.2.7', '2001:db8::/32']);
  test.each([
    { why: 'in the first network', address: '10.255.255.255', is: true },
    { why: 'just outside of it', address: '11.0.0.0', is: false },
    { why: 'a single address', address: '192.0.2.7', is: true },
    { why: 'its neighbour', address: '192.0.2.8', is: false },
    { why: 'IPv6', address: '2001:db8:ffff::1', is: true },
    { why: 'other IPv6', address: '2001:db9::1', is: false },
    { why: 'IPv4 as a dual-stack socket shows it', address: '::ffff:10.1.2.3', is: true },
    { why: 'a Unix socket has no address', address: '', is: false },
  ])('$address: $why', ({ address, is }) => expect(contains(address)).toBe(is));
});
