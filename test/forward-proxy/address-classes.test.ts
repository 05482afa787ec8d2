/** Which addresses are special, and which IPv4 addresses an IPv6 address leads to. */
import { describe, expect, test } from 'vitest';
import { embeddedIpv4, specialRangeOf } from '../../src/forward-proxy/address-classes.js';

/** First and last address of each range, and what is just outside of it. */
const ranges: readonly { readonly what: string | null; readonly addresses: readonly string[] }[] = [
  { what: 'an unspecified', addresses: ['0.0.0.0', '0.255.255.255', '::'] },
  { what: null, addresses: ['1.0.0.0', '9.255.255.255', '11.0.0.0', '8.8.8.8'] },
  { what: 'a private', addresses: ['10.0.0.0', '10.255.255.255', '172.16.0.0', '172.31.255.255'] },
  { what: null, addresses: ['172.15.255.255', '172.32.0.0'] },
  { what: 'a private', addresses: ['192.168.0.0', '192.168.255.255', 'fc00::', 'fdff:ffff::1'] },
  { what: null, addresses: ['192.167.255.255', '192.169.0.0'] },
  { what: 'a shared (carrier-grade NAT)', addresses: ['100.64.0.0', '100.127.255.255'] },
  { what: null, addresses: ['100.63.255.255', '100.128.0.0'] },
  { what: 'a loopback', addresses: ['127.0.0.0', '127.0.0.1', '127.255.255.255', '::1'] },
  { what: null, addresses: ['126.255.255.255', '128.0.0.0'] },
  { what: 'a link-local', addresses: ['169.254.0.0', '169.254.255.255', 'fe80::1', 'febf::1'] },
  { what: 'a metadata', addresses: ['169.254.169.254', '169.254.170.2', '100.100.100.200', '192.0.0.192'] },
  { what: 'a metadata', addresses: ['168.63.129.16', 'fd00:ec2::254', 'fd20:ce::254', 'fe80::a9fe:a9fe'] },
  { what: null, addresses: ['168.63.129.15', '169.253.255.255', '169.255.0.0'] },
  { what: 'a reserved', addresses: ['192.0.0.0', '192.0.0.255', '192.88.99.1', '240.0.0.0'] },
  { what: 'a documentation', addresses: ['192.0.2.0', '198.51.100.255', '203.0.113.7', '2001:db8::1'] },
  { what: 'a documentation', addresses: ['3fff::1', '3fff:fff::1'] },
  { what: null, addresses: ['192.0.1.255', '192.0.3.0', '3fff:1000::1', '2001:db9::1'] },
  { what: 'a benchmarking', addresses: ['198.18.0.0', '198.19.255.255', '2001:2::1'] },
  { what: null, addresses: ['198.17.255.255', '198.20.0.0', '2001:3::1', '2001:200::1'] },
  { what: 'a multicast', addresses: ['224.0.0.0', '239.255.255.255', 'ff02::1'] },
  { what: null, addresses: ['223.255.255.255'] },
  { what: 'a broadcast', addresses: ['255.255.255.255'] },
  { what: 'a site-local', addresses: ['fec0::1', 'feff::1'] },
  { what: 'a NAT64', addresses: ['64:ff9b:1::1'] },
  { what: 'an IPv4-compatible', addresses: ['::8.8.8.8', '::2'] },
  { what: 'a discard-only', addresses: ['100::1'] },
  {
    what: 'a reserved',
    addresses: ['5f00::1', '4000::1', '1fff::1', 'fe00::1', '2001:10::1', '::ffff:0:808:808'],
  },
  { what: null, addresses: ['2606:4700::1111', '2001::1', '2002:808:808::1', '64:ff9b::808:808', '2000::1'] },
];

describe('special ranges', () => {
  for (const { what, addresses } of ranges)
    test.each(addresses)(`%s is ${what ?? 'public'}`, (address) =>
      expect(specialRangeOf(address)?.what ?? null).toBe(what),
    );

  test('metadata addresses are ranges of their own', () => {
    expect(specialRangeOf('169.254.169.254')?.prefix.bits).toBe(32);
    expect(specialRangeOf('fd00:ec2::254')?.prefix.bits).toBe(128);
  });
});

describe('IPv4 within IPv6', () => {
  test.each([
    { why: 'compatible', address: '::10.0.0.1', inner: ['10.0.0.1'] },
    { why: 'translated', address: '::ffff:0:10.0.0.1', inner: ['10.0.0.1'] },
    { why: 'NAT64', address: '64:ff9b::10.0.0.1', inner: ['10.0.0.1'] },
    { why: 'NAT64 for local use', address: '64:ff9b:1:2::10.0.0.1', inner: ['10.0.0.1'] },
    { why: '6to4', address: '2002:a9fe:a9fe::1', inner: ['169.254.169.254'] },
    {
      why: 'Teredo: server, and client inverted',
      address: '2001:0:808:808:0:1:f5ff:fffe',
      inner: ['8.8.8.8', '10.0.0.1'],
    },
    { why: 'none', address: '2606:4700::1111', inner: [] },
    { why: 'none beside Teredo', address: '2001:1:a00:1::', inner: [] },
    { why: 'none in loopback', address: '::1', inner: [] },
    { why: 'none in the unspecified address', address: '::', inner: [] },
    { why: 'IPv4 itself', address: '10.0.0.1', inner: [] },
  ])('$why', ({ address, inner }) => expect(embeddedIpv4(address)).toEqual(inner));
});
