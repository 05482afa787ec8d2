/** The Plan: indices that point to what the names named, and plain, frozen data. */
import { describe, expect, test } from 'vitest';
import { compile } from '../../src/config/compile.js';
import { IdRegistry } from '../../src/plane/ids.js';
import { protocols as builtIns } from '../../src/protocols/index.js';
import { planned } from '../support/plan.js';
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
const plan = compile(config, new Map([['web', ['192.0.2.9']]]), 7, new IdRegistry());

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
      protocols: [1],
      onUnknown: { kind: 'upstream', upstream: 2 },
      onSilence: null,
      proxyProtocol: null,
    },
    {
      name: 'b',
      address: 'unix:/run/b.sock',
      protocols: [0, 1],
      onUnknown: { kind: 'end', closing: 'drop' },
      onSilence: { afterMs: 2_000, to: { kind: 'upstream', upstream: 1 } },
      proxyProtocol: null,
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
