/** The Plan: indices that point to what the names named, and plain, frozen data. */

import { describe, expect, test } from 'vitest';
import { compile } from '../../src/config/compile.js';
import { loopsOf } from '../../src/config/own-listeners.js';
import { type Discovery, NOTHING_DISCOVERED } from '../../src/model/config.js';
import type { EndpointOverrides } from '../../src/model/overrides.js';
import type { PlanEndpoint } from '../../src/model/plan.js';
import { IdRegistry } from '../../src/plane/ids.js';
import { protocols as builtIns } from '../../src/protocols/index.js';
import { hostsAt, planned } from '../support/plan.js';
import { configOf } from './support.js';

const text = `
server: { listen: [] }
protocols:
  - { name: TLS, target: web }
  - { name: Mine, target: reset, start_bytes: [aa55], priority: 1 }
upstreams:
  web: { endpoints: ["10.0.0.5:443", "[2001:db8::5]:443", "unix:/run/w.sock", "web:443"], retries: 1 }
  mail: { endpoints: [{ address: "10.0.0.6:25", weight: 4, backup: true }], balance: source_hash }
  own: { handler: "builtin:echo" }
listeners:
  - { name: a, address: "127.0.0.1:1", protocols: [TLS], on_unknown: own }
  - { name: b, address: "unix:/run/b.sock", on_unknown: drop, on_silence: { after: 2s, to: mail } }
routes:
  - { when: { listener: b, protocol: tls, sni: "*.Example.org" }, to: mail }
  - { when: { source: ["10.0.0.0/8"] }, to: close }
`;

const config = configOf(text);
const plan = compile(config, hostsAt({ web: ['192.0.2.9'] }), 7, new IdRegistry());

const spokenOverTcp = builtIns.filter(({ transports }) => transports.includes('tcp'));

test('configured protocols in rank order, then the built-ins that only name a session', () => {
  expect(plan.protocols.slice(0, 2)).toEqual([
    planned({ name: 'Mine', id: 'mine', signature: { startBytes: ['aa55'] } }),
    planned({ name: 'TLS', id: 'tls' }),
  ]);
  const others = plan.protocols.slice(2).map(({ id }) => id);
  expect(others).toEqual(spokenOverTcp.map(({ id }) => id).filter((id) => id !== 'tls'));
});

test('listeners', () =>
  expect(plan.listeners).toEqual([
    {
      name: 'a',
      address: '127.0.0.1:1',
      transport: 'tcp',
      protocols: [1],
      datagramProtocols: [],
      kcp: null,
      onUnknown: { kind: 'upstream', upstream: 2 },
      onSilence: null,
      proxyProtocol: null,
      maxConnections: 0,
    },
    {
      name: 'b',
      address: 'unix:/run/b.sock',
      transport: 'tcp',
      protocols: [0, 1],
      datagramProtocols: [],
      kcp: null,
      onUnknown: { kind: 'end', closing: 'drop' },
      onSilence: { afterMs: 2_000, to: { kind: 'upstream', upstream: 1 } },
      proxyProtocol: null,
      maxConnections: 0,
    },
  ]));

test('routes as listed, then the targets of protocols', () =>
  expect(plan.routes).toEqual([
    {
      name: 'routes[0]',
      when: { sni: '*.example.org', protocol: 1, listener: 1 },
      to: { kind: 'upstream', upstream: 1 },
    },
    { name: 'routes[1]', when: { source: '10.0.0.0/8' }, to: { kind: 'end', closing: 'close' } },
    { name: 'protocols.Mine', when: { protocol: 0 }, to: { kind: 'end', closing: 'reset' } },
    { name: 'protocols.TLS', when: { protocol: 1 }, to: { kind: 'upstream', upstream: 0 } },
  ]));

test('an address of a name that is our own listener is left out, literals are as they are written', () => {
  const own = configOf(`
listeners: [{ name: front, address: ":8443" }, { name: local, address: "127.0.0.2:25" }]
protocols: [{ name: TLS, target: "web:8443,10.0.0.1:8443" }, { name: SMTP, target: "web:25" }]`);
  const discovery = {
    ...hostsAt({ web: ['127.0.0.1', '10.0.0.1', '10.0.0.2', '127.0.0.2'] }),
    machine: ['127.0.0.1', '10.0.0.1'],
  };
  const addresses = compile(own, discovery, 1, new IdRegistry()).upstreams.map(({ endpoints }) =>
    endpoints.flatMap((each) => each.addresses.map((address) => ('host' in address ? address.host : ''))),
  );
  expect(addresses).toEqual([
    ['10.0.0.2', '10.0.0.1'],
    ['127.0.0.1', '10.0.0.1', '10.0.0.2'],
  ]);
  expect(loopsOf(own, discovery).map(({ listener, address }) => `${listener} ${address}`)).toEqual([
    'front 127.0.0.1',
    'front 10.0.0.1',
    'front 127.0.0.2',
    'local 127.0.0.2',
  ]);
  expect(loopsOf(own, { ...discovery, machine: [] }).map(({ address }) => address)).not.toContain('10.0.0.1');
});

test('upstreams: literals need no discovery, names do', () => {
  expect(plan.upstreams[0]).toMatchObject({ name: 'web', handler: null });
  // Whole, as validation left them.
  expect(plan.upstreams[0]?.options).toBe(config.upstreams[0]?.options);
  expect(plan.upstreams[0]?.options).toMatchObject({ balance: 'round_robin', retries: 1 });
  expect(plan.upstreams[0]?.endpoints.map(({ addresses }) => addresses)).toEqual([
    [{ host: '10.0.0.5', port: 443 }],
    [{ host: '2001:db8::5', port: 443 }],
    [{ path: '/run/w.sock' }],
    [{ host: '192.0.2.9', port: 443 }],
  ]);
  expect(plan.upstreams[1]?.endpoints[0]).toMatchObject({ weight: 4, backup: true, state: 'up' });
  expect(plan.upstreams[2]).toMatchObject({ handler: 'builtin:echo', endpoints: [] });
});

describe('the Plan passes to other threads', () => {
  test('it is a structured clone of itself', () => expect(structuredClone(plan)).toEqual(plan));
  test('it is frozen through and through, as far as the language can', () => {
    const loose: unknown[] = [];
    const visit = (value: unknown): void => {
      if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return;
      if (!Object.isFrozen(value)) loose.push(value);
      Object.values(value).forEach(visit);
    };
    visit(plan);
    expect(loose).toEqual([]);
  });
  test('it knows its generation', () => expect(plan.generation).toBe(7));
});

describe('names', () => {
  const known = (failing: boolean): Discovery => ({
    hosts: new Map([
      ['web', { value: ['2001:db8::1', '192.0.2.1', '2001:db8::2'], failing }],
      ['b.test', { value: ['192.0.2.2'], failing: false }],
    ]),
    services: new Map([
      [
        '_web._tcp.test',
        {
          value: [
            { name: 'web:81', host: 'web', port: 81, weight: 5, backup: false },
            { name: 'b.test:82', host: 'b.test', port: 82, weight: 7, backup: true },
            { name: 'unknown.test:83', host: 'unknown.test', port: 83, weight: 1, backup: true },
          ],
          failing,
        },
      ],
    ]),
  });
  const upstreamWith = (text: string, discovery: Discovery, overrides?: EndpointOverrides) => {
    const own = configOf(`protocols: [{ name: TLS, target: u }]\nupstreams: { u: ${text} }`);
    const { ids, upstreams } = compile(own, discovery, 1, new IdRegistry(), overrides);
    expect(ids.endpoints[0]).toHaveLength(upstreams[0]?.endpoints.length as number);
    return upstreams[0]?.endpoints ?? [];
  };
  const hostsOf = (endpoints: readonly PlanEndpoint[]) =>
    endpoints.map(({ addresses }) => addresses.map((address) => ('host' in address ? address.host : '')));

  test.each([
    { family: 'any', hosts: ['2001:db8::1', '192.0.2.1', '2001:db8::2'] },
    { family: 'ipv4', hosts: ['192.0.2.1'] },
    { family: 'ipv6', hosts: ['2001:db8::1', '2001:db8::2'] },
    { family: 'ipv4_first', hosts: ['192.0.2.1', '2001:db8::1', '2001:db8::2'] },
  ])('family: $family', ({ family, hosts }) => {
    const text = `{ endpoints: ["web:80", "[::1]:80"], dns: { family: ${family} } }`;
    expect(hostsOf(upstreamWith(text, known(false)))).toEqual([hosts, ['::1']]);
  });

  test('what fails keeps its last addresses, or has none', () => {
    const text = (keep: boolean) =>
      `{ endpoints: ["web:80"], dns: { keep_last_good: ${keep}, family: ipv4 } }`;
    expect(hostsOf(upstreamWith(text(true), known(true)))).toEqual([['192.0.2.1']]);
    expect(hostsOf(upstreamWith(text(false), known(true)))).toEqual([[]]);
    expect(hostsOf(upstreamWith(text(false), known(false)))).toEqual([['192.0.2.1']]);
  });

  test('a service stands for its endpoints, with weights and backups of their own', () => {
    const endpoints = upstreamWith(
      '{ endpoints: ["srv:_web._tcp.test", "10.0.0.1:80"], dns: { family: ipv4 } }',
      known(false),
    );
    const service = '_web._tcp.test';
    expect(endpoints).toEqual([
      {
        name: 'web:81',
        service,
        weight: 5,
        backup: false,
        state: 'up',
        addresses: [{ host: '192.0.2.1', port: 81 }],
      },
      {
        name: 'b.test:82',
        service,
        weight: 7,
        backup: true,
        state: 'up',
        addresses: [{ host: '192.0.2.2', port: 82 }],
      },
      { name: 'unknown.test:83', service, weight: 1, backup: true, state: 'up', addresses: [] },
      {
        name: '10.0.0.1:80',
        weight: 1,
        backup: false,
        state: 'up',
        addresses: [{ host: '10.0.0.1', port: 80 }],
      },
    ]);
  });

  test.each([
    { why: 'not known yet', text: '{ endpoints: ["srv:_other._tcp.test"] }', names: [] },
    {
      why: 'an outage',
      text: '{ endpoints: ["srv:_web._tcp.test"], dns: { keep_last_good: false } }',
      names: [],
    },
    {
      why: 'listed too, so that what is written counts',
      text: '{ endpoints: [{ address: "web:81", weight: 9 }, "srv:_web._tcp.test"] }',
      names: ['web:81', 'b.test:82', 'unknown.test:83'],
    },
  ])('a service: $why', ({ text, names }) => {
    const endpoints = upstreamWith(text, known(true));
    expect(endpoints.map(({ name }) => name)).toEqual(names);
    if (names.length > 0) expect(endpoints[0]?.weight).toBe(9);
  });

  test('backup: true holds for all of a service', () => {
    const text = '{ endpoints: ["10.0.0.1:80", { address: "srv:_web._tcp.test", backup: true }] }';
    expect(upstreamWith(text, known(false)).map(({ backup }) => backup)).toEqual([false, true, true, true]);
  });

  test("an operator's weight and state hold for an endpoint of a service", () => {
    const overrides: EndpointOverrides = new Map([
      ['u', new Map([['b.test:82', { weight: 3, state: 'drain' as const }]])],
    ]);
    const [, second] = upstreamWith('{ endpoints: ["srv:_web._tcp.test"] }', known(false), overrides);
    expect(second).toMatchObject({ weight: 3, state: 'drain' });
  });
});

describe('limits per source', () => {
  const limits =
    'security: { enable_rate_limit: true, rate_limit: { requests_per_second: 10, burst_size: 3, total_per_second: 50 } }';
  const divided = (divide: boolean, nodes?: number, server = '{ max_connections_per_ip: 7 }') => {
    const text = `protocols: [{ name: HTTP, target: "10.0.0.1:80" }]
server: ${server}
${limits}
distributed: { enable: true, etcd_endpoints: ["http://etcd:2379"], divide_limits: ${divide} }`;
    const discovery = { ...NOTHING_DISCOVERED, ...(nodes !== undefined && { nodes }) };
    return compile(configOf(text), discovery, 1, new IdRegistry()).limits.admission;
  };

  test('are divided by the nodes of the cluster, rounded up; the limit of all sources is each node’s own', () => {
    expect(divided(true, 3)).toMatchObject({ sessions: 3, rate: 4, burst: 1, rateInAll: 50 });
    expect(divided(true, 100)).toMatchObject({ sessions: 1, rate: 1, burst: 1 });
    expect(divided(true, 3, '{}')).toMatchObject({ sessions: 0 });
  });

  test('are whole where nobody asks for parts, and until other nodes are known', () => {
    const whole = { sessions: 7, rate: 10, burst: 3 };
    expect(divided(false, 3)).toMatchObject(whole);
    expect(divided(true)).toMatchObject(whole);
  });
});
