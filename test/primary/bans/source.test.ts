/** How a banned source is written. */
import { describe, expect, test } from 'vitest';
import { banSource } from '../../../src/primary/bans/source.js';

const cases = [
  { why: 'IPv4', text: '192.0.2.7', shown: '192.0.2.7' },
  { why: 'IPv4 as a network of one', text: '192.0.2.7/32', shown: '192.0.2.7' },
  { why: 'IPv4-mapped', text: '::ffff:192.0.2.7', shown: '192.0.2.7' },
  { why: 'IPv6: its /64', text: '2001:DB8::0:7', shown: '2001:db8::/64' },
  { why: 'another address of it', text: '2001:db8:0:0:ffff::1', shown: '2001:db8::/64' },
  { why: 'the /64 itself', text: '2001:db8::/64', shown: '2001:db8::/64' },
  { why: 'the /64 itself, written at length', text: '2001:0DB8:0:0::/64', shown: '2001:db8::/64' },
  { why: 'loopback', text: '::1', shown: '::/64' },
  { why: 'a network', text: '192.0.2.0/24', shown: null },
  { why: 'an IPv6 network', text: '2001:db8::/48', shown: null },
  { why: 'a zone', text: 'fe80::1%eth0', shown: null },
  { why: 'two masks', text: '192.0.2.7/32/32', shown: null },
  { why: 'a name', text: 'localhost', shown: null },
  { why: 'nothing', text: '', shown: null },
  { why: 'a port', text: '192.0.2.7:80', shown: null },
  { why: 'a control character', text: '192.0.2.7\n', shown: null },
];

describe.each(cases)('$why', ({ text, shown }) => {
  test(shown === null ? 'is refused' : `is ${shown}`, () => {
    expect(banSource(text)?.shown ?? null).toBe(shown);
  });
});
