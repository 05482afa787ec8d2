import { describe, expect, test } from 'vitest';
import {
  createNetworkSet,
  holdsNetwork,
  isNetwork,
  networkFault,
  networkPrefix,
  plainAddress,
  sourceKey,
  withoutHostBits,
} from '../../src/base/network.js';

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

describe('a network is of one family', () => {
  test.each([
    { network: '::/0', address: '10.0.0.1', is: false },
    { network: '::/0', address: '::ffff:10.0.0.1', is: false },
    { network: '::/0', address: '2001:db8::1', is: true },
    { network: '0.0.0.0/0', address: '2001:db8::1', is: false },
    { network: '::ffff:0:0/96', address: '10.0.0.1', is: true },
    { network: '::ffff:10.0.0.0/104', address: '10.9.9.9', is: true },
    { network: '::ffff:10.0.0.0/104', address: '11.0.0.1', is: false },
    { network: '::ffff:0:0/95', address: '10.0.0.1', is: false },
    { network: '10.0.0.0/8', address: '0:0:0:0:0:FFFF:0A00:0001', is: true },
  ])('$network and $address: $is', ({ network, address, is }) =>
    expect(createNetworkSet([network])(address)).toBe(is),
  );
});

test.each([
  { address: '::ffff:10.0.0.1', is: '10.0.0.1' },
  { address: '::ffff:0:1', is: '0.0.0.1' },
  { address: '::ffff:0:0:1', is: '::ffff:0:0:1' },
  { address: '10.0.0.1', is: '10.0.0.1' },
  { address: '', is: '' },
])('$address is $is', ({ address, is }) => expect(plainAddress(address)).toBe(is));

test.each([
  { text: '10.0.0.0/33', says: '`/33` is longer than the 32 bits of an IPv4 address' },
  { text: '::/129', says: '`/129` is longer than the 128 bits of an IPv6 address' },
  { text: 'web', says: null },
])('$text: $says', ({ text, says }) => expect(networkFault(text)).toBe(says));

describe('bits beyond the prefix', () => {
  test.each([
    { text: '10.1.2.3/8', is: '10.0.0.0/8' },
    { text: '192.168.1.129/25', is: '192.168.1.128/25' },
    { text: '255.255.255.255/0', is: '0.0.0.0/0' },
    { text: '2001:db8::1/32', is: '2001:db8::/32' },
    { text: '2001:db8:ffff::/33', is: '2001:db8:8000::/33' },
    { text: '::ffff:10.1.2.3/104', is: '10.0.0.0/8' },
    { text: '10.0.0.0/8', is: null },
    { text: '10.1.2.3', is: null },
    { text: '2001:db8::/32', is: null },
    { text: '::1', is: null },
    { text: '64:ff9b::192.0.2.1/96', is: '64:ff9b::/96' },
  ])('$text takes effect as $is', ({ text, is }) => expect(withoutHostBits(text)).toBe(is));
});

test.each([
  { outer: '10.0.0.0/8', inner: '10.2.0.0/16', is: true },
  { outer: '10.2.0.0/16', inner: '10.0.0.0/8', is: false },
  { outer: '::/0', inner: '10.0.0.0/8', is: false },
  { outer: '0.0.0.0/0', inner: '::ffff:10.0.0.1', is: true },
  { outer: '10.1.2.3/8', inner: '10.9.0.0/16', is: true },
  { outer: '10.0.0.0/9', inner: '10.128.0.0/9', is: false },
  { outer: '2001:db8::/32', inner: '2001:db8:1::1', is: true },
  { outer: '2001:db8::/32', inner: '2001:db9::/48', is: false },
  { outer: '10.0.0.1', inner: '10.0.0.1/32', is: true },
])('$outer holds $inner: $is', ({ outer, inner, is }) =>
  expect(holdsNetwork(networkPrefix(outer), networkPrefix(inner))).toBe(is),
);

describe('what counts as one source', () => {
  test.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '20010db800010002::/64'],
    ['2001:db8:1:2::1', '20010db800010002::/64'],
    ['', ''],
  ])('%s', (address, key) => expect(sourceKey(address)).toBe(key));
});
