/** What of `tcp` and `source` depends on this machine, which is given as data. */
import { describe, expect, test } from 'vitest';
import { compile } from '../../src/config/compile.js';
import { IdRegistry } from '../../src/plane/ids.js';
import { hostsAt } from '../support/plan.js';
import { configOf, problemsOf, warningsOf } from './support.js';

const ROUTES = 'routes: [{ to: web }]\n';
const web = (keys: string) => `${ROUTES}upstreams: { web: { endpoints: ["10.0.0.1:80"], ${keys} } }`;

describe('is refused', () => {
  test.each([
    {
      keys: 'tcp: { congestion: vegas }',
      says: 'tcp.congestion: the kernel has no `vegas`: it has `cubic`, `reno`, `bbr`; others need their module (`modprobe tcp_vegas`)',
    },
    { keys: 'tcp: { congestion: "a b" }', says: 'tcp.congestion: expected a name such as `bbr` or `cubic`' },
    { keys: 'tcp: { nodelay: 1 }', says: 'tcp.nodelay: expected true or false, got 1' },
    { keys: 'source: 10.0.0.9', says: 'source: expected a mapping of keys and values such as `{ address' },
    { keys: 'source: { address: eth0 }', says: 'source.address: expected an address such as' },
    { keys: 'source: { address: "fe80::1%eth0" }', says: 'source.address: expected an address such as' },
    {
      keys: 'source: { address: [192.0.2.9, 192.0.2.10] }',
      says: 'source.address: has two IPv4 addresses: write one of each family',
    },
    {
      keys: 'source: { address: "2001:db8::9" }',
      says: 'endpoints[0]: `10.0.0.1:80` is IPv4, and source.address has no IPv4 address: add one',
    },
    { keys: 'source: { interface: far/too }', says: 'source.interface: expected the name of an interface' },
    {
      keys: 'source: { transparent: true, address: 192.0.2.9 }',
      says: 'source.transparent: takes the address of the client: leave `address` out',
    },
    {
      keys: 'source: { transparent: true }, pool: { warm: 4 }',
      says: 'source.transparent: can not have connections opened ahead',
    },
  ])('$keys', ({ keys, says }) => {
    const problems = problemsOf(web(keys));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(`upstreams.web.${says}`);
  });

  test.each([
    { keys: 'tcp: { congestion: bbr }', says: 'tcp.congestion: `bbr` needs CAP_NET_ADMIN' },
    { keys: 'source: { transparent: true }', says: 'source.transparent: needs CAP_NET_RAW' },
  ])('$keys without a capability', ({ keys, says }) => {
    expect(problemsOf(web(keys))).toEqual([]);
    const [problem] = problemsOf(web(keys), { mayAdminister: false });
    expect(problem).toContain(`upstreams.web.${says}`);
    expect(problemsOf(web('tcp: { congestion: cubic }'), { mayAdminister: false })).toEqual([]);
  });

  test('in the target of a protocol, too', () => {
    const text = 'protocols: [{ name: ssh, target: { endpoints: ["a:22"], tcp: { congestion: vegas } } }]';
    expect(problemsOf(text)[0]).toContain('protocols[0].target.tcp.congestion: the kernel has no `vegas`');
  });
});

test('what may appear later is a warning', () => {
  expect(warningsOf(web('source: { address: 192.0.2.77, interface: wg0 }'))).toEqual([
    'upstreams.web.source.address: `192.0.2.77` is not an address of this machine: sessions end with `no_such_source` until it is',
    'upstreams.web.source.interface: there is no interface `wg0` now: this machine has `lo`, `eth0`',
  ]);
  expect(warningsOf(web('source: { address: [192.0.2.9, "2001:DB8:0::9"], interface: eth0 }'))).toEqual([]);
  expect(warningsOf(web('source: { address: 127.0.0.9 }'))).toEqual([]);
});

test('addresses that no source address can reach are left out', () => {
  const addressesWith = (keys: string) => {
    const text = `${ROUTES}upstreams: { web: { endpoints: ["a:80"]${keys} } }`;
    const discovery = hostsAt({ a: ['192.0.2.1', '2001:db8::1'] });
    return compile(configOf(text), discovery, 1, new IdRegistry()).upstreams[0]?.endpoints[0]?.addresses;
  };
  const [v4, v6] = [
    { host: '192.0.2.1', port: 80 },
    { host: '2001:db8::1', port: 80 },
  ];
  expect(addressesWith('')).toEqual([v4, v6]);
  expect(addressesWith(', source: { address: 192.0.2.9 }')).toEqual([v4]);
  expect(addressesWith(', source: { address: ["2001:db8::9"] }')).toEqual([v6]);
  expect(addressesWith(', source: { address: [192.0.2.9, "2001:db8::9"] }')).toEqual([v4, v6]);
});
