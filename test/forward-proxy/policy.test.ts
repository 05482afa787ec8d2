/** Where clients may go: names before they are looked up, and addresses before they are dialled. */
import { describe, expect, test } from 'vitest';
import { createOwnTest } from '../../src/forward-proxy/own-listeners.js';
import { type Judgement, Policy } from '../../src/forward-proxy/policy.js';
import type { DestinationRule } from '../../src/model/connect-proxy.js';

const HTTPS = [{ first: 443, last: 443 }];
const noRules = { allow: [], deny: [], ports: HTTPS };

/** `*.example.com`, `10.0.0.0/8` or `*`, for port 443, or `any`. */
function rule(where: string, ports: DestinationRule['ports'] = HTTPS): DestinationRule {
  const isNetwork = where.includes('/');
  return { name: isNetwork ? null : where, network: isNetwork ? where : null, ports };
}

const policy = (rules: { allow?: DestinationRule[]; deny?: DestinationRule[] } = {}) =>
  new Policy({ ...noRules, ...rules }, () => false);

/** As a session is judged: the host, then its addresses. */
function judge(by: Policy, host: string, port: number, addresses: readonly string[] = []): string {
  const of = (judgement: Judgement) => (judgement === null ? 'allowed' : judgement.why);
  const first = of(by.judgeHost({ host, port }));
  return first !== 'allowed' || addresses.length === 0
    ? first
    : of(by.judgeAddresses({ host, port }, addresses));
}

const notAllowed = (host: string, what: string) => `${host} leads to ${what} address, which is not allowed`;

describe('without rules: every public address, on port 443', () => {
  test.each([
    { why: 'a public address', host: '8.8.8.8', expect: 'allowed' },
    { why: 'a public IPv6 address', host: '2606:4700::1111', expect: 'allowed' },
    { why: 'another port', host: '8.8.8.8', port: 25, expect: 'port 25 is not allowed' },
    { why: 'another port of a name', host: 'a.example', port: 80, expect: 'port 80 is not allowed' },
    { why: 'a name', host: 'a.example', addresses: ['8.8.8.8', '2606:4700::1111'], expect: 'allowed' },
    { why: 'loopback', host: '127.0.0.1', expect: notAllowed('127.0.0.1', 'a loopback') },
    {
      why: 'this network, which is loopback to the kernel',
      host: '0.0.0.0',
      expect: notAllowed('0.0.0.0', 'an unspecified'),
    },
    { why: 'the unspecified IPv6 address', host: '::', expect: notAllowed('::', 'an unspecified') },
    {
      why: 'a name of a private address',
      host: 'a.example',
      addresses: ['10.0.0.1'],
      expect: notAllowed('a.example', 'a private'),
    },
    {
      why: 'a name of which one address is private',
      host: 'a.example',
      addresses: ['8.8.8.8', '10.0.0.1'],
      expect: notAllowed('a.example', 'a private'),
    },
    {
      why: 'localhost',
      host: 'localhost',
      addresses: ['127.0.0.1', '::1'],
      expect: notAllowed('localhost', 'a loopback'),
    },
    { why: 'metadata', host: '169.254.169.254', expect: notAllowed('169.254.169.254', 'a metadata') },
    {
      why: 'IPv4-mapped metadata, from the DNS',
      host: 'a.example',
      addresses: ['::ffff:169.254.169.254'],
      expect: notAllowed('a.example', 'a metadata'),
    },
    {
      why: 'NAT64 of a private address',
      host: '64:ff9b::a00:1',
      expect: notAllowed('64:ff9b::a00:1', 'a private'),
    },
    { why: 'NAT64 of a public address', host: '64:ff9b::808:808', expect: 'allowed' },
    { why: '6to4 of loopback', host: '2002:7f00:1::1', expect: notAllowed('2002:7f00:1::1', 'a loopback') },
    {
      why: 'Teredo of a private client',
      host: '2001:0:808:808:0:1:f5ff:fffe',
      expect: notAllowed('2001:0:808:808:0:1:f5ff:fffe', 'a private'),
    },
    { why: 'IPv4-compatible', host: '::808:808', expect: notAllowed('::808:808', 'an IPv4-compatible') },
  ])('$why', ({ host, port = 443, addresses = [], expect: expected }) =>
    expect(judge(policy(), host, port, addresses)).toBe(expected),
  );
});

describe('allow', () => {
  const names = policy({
    allow: [rule('*.example.com'), rule('one.example', [{ first: 8000, last: 8010 }])],
  });
  const network = policy({ allow: [rule('10.1.0.0/16', 'any'), rule('8.8.8.0/24', 'any')] });
  const both = policy({ allow: [rule('db.example', 'any'), rule('10.1.0.0/16', 'any')] });
  const all = policy({ allow: [rule('*', 'any'), rule('0.0.0.0/0', 'any'), rule('::/0', 'any')] });

  test.each([
    {
      why: 'a name below a pattern',
      by: names,
      host: 'a.example.com',
      addresses: ['8.8.8.8'],
      expect: 'allowed',
    },
    { why: 'the name above it', by: names, host: 'example.com', expect: 'example.com is not allowed' },
    {
      why: 'another name that ends alike',
      by: names,
      host: 'badexample.com',
      expect: 'badexample.com is not allowed',
    },
    {
      why: 'another port of it',
      by: names,
      host: 'a.example.com',
      port: 80,
      expect: 'port 80 is not allowed',
    },
    {
      why: 'the first port of a range',
      by: names,
      host: 'one.example',
      port: 8000,
      addresses: ['8.8.8.8'],
      expect: 'allowed',
    },
    {
      why: 'the last port of a range',
      by: names,
      host: 'one.example',
      port: 8010,
      addresses: ['8.8.8.8'],
      expect: 'allowed',
    },
    {
      why: 'a port behind a range',
      by: names,
      host: 'one.example',
      port: 8011,
      expect: 'port 8011 is not allowed',
    },
    {
      why: 'the port of another rule',
      by: names,
      host: 'a.example.com',
      port: 8000,
      addresses: ['8.8.8.8'],
      expect: 'port 8000 is not allowed',
    },
    { why: 'an address, where only names are', by: names, host: '8.8.8.8', expect: '8.8.8.8 is not allowed' },
    {
      why: 'a name does not open a private address behind it',
      by: names,
      host: 'a.example.com',
      addresses: ['10.1.0.1'],
      expect: notAllowed('a.example.com', 'a private'),
    },
    { why: 'a network opens private addresses', by: network, host: '10.1.2.3', port: 22, expect: 'allowed' },
    {
      why: 'and no others',
      by: network,
      host: '10.2.0.1',
      port: 22,
      expect: notAllowed('10.2.0.1', 'a private'),
    },
    {
      why: 'of public addresses, too, those named alone',
      by: network,
      host: '1.1.1.1',
      expect: '1.1.1.1 is not allowed',
    },
    { why: 'a public network', by: network, host: '8.8.8.8', expect: 'allowed' },
    {
      why: 'a name is judged by its addresses',
      by: network,
      host: 'a.example',
      addresses: ['10.1.0.1', '8.8.8.8'],
      expect: 'allowed',
    },
    {
      why: 'by each of them',
      by: network,
      host: 'a.example',
      addresses: ['10.1.0.1', '1.1.1.1'],
      expect: 'a.example is not allowed',
    },
    {
      why: 'the NAT64 form of a private address that is open',
      by: network,
      host: '64:ff9b::a01:1',
      expect: 'allowed',
    },
    {
      why: 'the mapped form of it',
      by: network,
      host: 'a.example',
      addresses: ['::ffff:10.1.0.1'],
      expect: 'allowed',
    },
    {
      why: 'a name and the network behind it',
      by: both,
      host: 'db.example',
      port: 5432,
      addresses: ['10.1.0.1'],
      expect: 'allowed',
    },
    {
      why: 'the same name elsewhere',
      by: both,
      host: 'db.example',
      port: 5432,
      addresses: ['192.168.0.1'],
      expect: notAllowed('db.example', 'a private'),
    },
    { why: 'every public address', by: all, host: '1.1.1.1', port: 25, expect: 'allowed' },
    {
      why: 'every public name',
      by: all,
      host: 'a.example',
      port: 25,
      addresses: ['1.1.1.1'],
      expect: 'allowed',
    },
    {
      why: 'all networks open no private one',
      by: all,
      host: '10.0.0.1',
      expect: notAllowed('10.0.0.1', 'a private'),
    },
    { why: 'nor loopback', by: all, host: '::1', expect: notAllowed('::1', 'a loopback') },
    {
      why: 'nor metadata',
      by: all,
      host: '169.254.169.254',
      expect: notAllowed('169.254.169.254', 'a metadata'),
    },
  ])('$why', ({ by, host, port = 443, addresses = [], expect: expected }) =>
    expect(judge(by, host, port, addresses)).toBe(expected),
  );

  test.each([
    { network: '169.254.169.254/32', expect: 'allowed' },
    { network: '169.254.169.254/31', expect: notAllowed('169.254.169.254', 'a metadata') },
    { network: '169.254.0.0/16', expect: notAllowed('169.254.169.254', 'a metadata') },
  ])('metadata by $network', (each) => {
    const by = policy({ allow: [rule(each.network, 'any')] });
    expect(judge(by, '169.254.169.254', 80)).toBe(each.expect);
  });

  test('a special range is opened by a network within it, not by one around it', () => {
    const at = (network: string) => judge(policy({ allow: [rule(network)] }), '172.16.0.1', 443);
    expect(at('172.16.0.0/12')).toBe('allowed');
    expect(at('172.16.0.0/11')).toBe(notAllowed('172.16.0.1', 'a private'));
  });
});

describe('a port that is denied everywhere', () => {
  const by = policy({
    allow: [rule('*', 'any'), rule('10.0.0.0/8', 'any')],
    deny: [rule('*', [{ first: 25, last: 25 }])],
  });
  test.each(['a.example', '8.8.8.8', '10.0.0.1', '2606:4700::1111'])('%s', (host) => {
    expect(judge(by, host, 25, ['8.8.8.8'])).toBe(`${host} is denied`);
    expect(judge(by, host, 26, ['8.8.8.8'])).toBe('allowed');
  });
});

describe('deny', () => {
  const deny = [
    rule('*.bad.example', 'any'),
    rule('8.8.4.0/24', 'any'),
    rule('worse.example', [{ first: 25, last: 25 }]),
  ];
  const by = policy({ allow: [rule('*', 'any')], deny });

  test.each([
    { why: 'a name', host: 'a.bad.example', expect: 'a.bad.example is denied' },
    { why: 'another name', host: 'bad.example', addresses: ['8.8.8.8'], expect: 'allowed' },
    { why: 'an address', host: '8.8.4.4', expect: '8.8.4.4 is denied' },
    {
      why: 'an address behind a name',
      host: 'a.example',
      addresses: ['8.8.8.8', '8.8.4.4'],
      expect: 'a.example is denied',
    },
    {
      why: 'its mapped form',
      host: 'a.example',
      addresses: ['::ffff:8.8.4.4'],
      expect: 'a.example is denied',
    },
    { why: 'its NAT64 form', host: '64:ff9b::808:404', expect: '64:ff9b::808:404 is denied' },
    { why: 'one port of a name', host: 'worse.example', port: 25, expect: 'worse.example is denied' },
    { why: 'another port of it', host: 'worse.example', port: 26, addresses: ['8.8.8.8'], expect: 'allowed' },
  ])('$why', ({ host, port = 443, addresses = [], expect: expected }) =>
    expect(judge(by, host, port, addresses)).toBe(expected),
  );

  test('wins over allow', () => {
    const both = policy({ allow: [rule('10.0.0.0/8')], deny: [rule('10.9.0.0/16', 'any')] });
    expect(judge(both, '10.8.0.1', 443)).toBe('allowed');
    expect(judge(both, '10.9.0.1', 443)).toBe('10.9.0.1 is denied');
  });
});

describe('listeners of this daemon', () => {
  const isOwn = createOwnTest(
    [':9443', '0.0.0.0:443', '198.51.100.7:8443', '[::1]:53', 'unix:/run/a.sock'],
    () => ['198.51.100.7', '2001:db8::7'],
  );

  test.each([
    { address: '127.0.0.1', port: 9443, expect: true },
    { address: '127.8.0.1', port: 9443, expect: true },
    { address: '::1', port: 9443, expect: true },
    { address: '0.0.0.0', port: 9443, expect: true },
    { address: '2001:db8::7', port: 9443, expect: true },
    { address: '198.51.100.7', port: 443, expect: true },
    { address: '2001:db8::7', port: 443, expect: false },
    { address: '198.51.100.7', port: 8443, expect: true },
    { address: '127.0.0.1', port: 8443, expect: false },
    { address: '::1', port: 53, expect: true },
    { address: '127.0.0.1', port: 53, expect: false },
    { address: '198.51.100.8', port: 443, expect: false },
    { address: '127.0.0.1', port: 80, expect: false },
  ])('$address:$port', (each) => expect(isOwn(each.address, each.port)).toBe(each.expect));

  test('are never dialled, whatever is allowed', () => {
    const by = new Policy({ ...noRules, allow: [rule('127.0.0.0/8', 'any')] }, isOwn);
    expect(judge(by, '127.0.0.1', 9443)).toBe('127.0.0.1 leads back to this proxy');
    expect(judge(by, 'a.example', 443, ['127.0.0.1'])).toBe('a.example leads back to this proxy');
    expect(judge(by, '127.0.0.1', 22)).toBe('allowed');
  });
});
