/** The route table: first match wins, it waits for facts only where they matter, and doubt fails closed. */
import { describe, expect, test } from 'vitest';
import type { Plan, PlanRoute } from '../../src/model/plan.js';
import type { RouteSession } from '../../src/routing/condition.js';
import { createTests } from '../../src/routing/conditions/index.js';
import { explainRoute } from '../../src/routing/explain.js';
import { createRouteTable } from '../../src/routing/table.js';
import { listedRoutes, openAdmission, planned } from '../support/plan.js';

const HTTP = 0;
const TLS = 1;
const NAMED_ONLY = 2;
const FRONT = 0;
const HTTP_ONLY = 1;

function planOf(routes: readonly PlanRoute[]): Plan {
  const listener = (protocols: number[]) => ({
    name: 'l',
    address: ':1',
    transport: 'tcp' as const,
    kcp: null,
    protocols,

    datagramProtocols: [],
    onUnknown: { kind: 'end', closing: 'close' } as const,
    onSilence: null,
    proxyProtocol: null,
    maxConnections: 0,
  });
  const protocol = (id: string) => planned({ name: id, id });
  return {
    generation: 1,
    limits: {
      identifyTimeoutMs: 1,
      dialTimeoutMs: 1,
      idleTimeoutMs: 1,
      halfCloseTimeoutMs: 1,
      cacheTtlMs: 300_000,
      bufferBytes: 1,
      identifyMinBytes: 1,
      longOpeningsPerSource: 64,
      admission: openAdmission,
      identifyMaxBytes: 1,
      maxConnections: 1,
      flows: { max: 1000, perSource: 0, idleTimeoutMs: 60_000 },
      tarpitMax: 256,
      tarpitHoldMs: 60_000,
    },
    listeners: [listener([HTTP, TLS]), listener([HTTP])],
    protocols: ['http', 'tls', 'ssh'].map(protocol),
    routes,
    upstreams: [],
    kcp: [],
    connectProxy: null,
    ids: { listeners: [1, 2], protocols: [1, 2, 3], upstreams: [], endpoints: [], kcp: [] },
    accessLog: { enabled: false, rate: 1 },
  };
}

const upstream = (index: number) => ({ kind: 'upstream', upstream: index }) as const;

const routes = listedRoutes([
  { when: { protocol: TLS, source: ['10.0.0.0/8'] }, to: upstream(0) },
  { when: { protocol: TLS, sni: 'a.example', alpn: 'h2' }, to: upstream(1) },
  { when: { protocol: TLS, sni: 'a.example' }, to: upstream(2) },
  { when: { listener: HTTP_ONLY, source: ['192.0.2.66'] }, to: { kind: 'end', closing: 'reset' } },
  { when: { protocol: HTTP }, to: upstream(3) },
]);

const session: RouteSession = {
  listener: FRONT,
  protocol: TLS,
  source: '192.0.2.7',
  nowMs: 0,
  facts: {},
  factsComplete: true,
  broken: false,
  doubtful: [],
};
const early = { factsComplete: false };
const aExample = { sni: 'a.example' };

interface Case {
  readonly why: string;
  readonly session: Partial<RouteSession>;
  readonly expect: number | 'more' | 'none' | 'refuse';
}

const cases: Case[] = [
  { why: 'a protocol alone decides', session: { protocol: HTTP }, expect: 4 },
  { why: 'it does not wait for facts', session: { protocol: HTTP, ...early }, expect: 4 },
  { why: 'nor mind that they are broken', session: { protocol: HTTP, broken: true }, expect: 4 },
  { why: 'the first of two', session: { facts: { ...aExample, alpn: ['h2'] } }, expect: 1 },
  { why: 'the second of two', session: { facts: { ...aExample, alpn: ['x'] } }, expect: 2 },
  { why: 'the second only when the first is out', session: { facts: aExample, ...early }, expect: 'more' },
  {
    why: 'one condition that fails settles a route',
    session: { facts: { sni: 'b' }, ...early },
    expect: 'none',
  },
  { why: 'nothing is known yet', session: early, expect: 'more' },
  { why: 'no fact came', session: {}, expect: 'none' },
  { why: 'a rule needs facts that can not be read', session: { broken: true }, expect: 'refuse' },
  {
    why: 'even one that was read before',
    session: { broken: true, facts: { ...aExample, alpn: ['h2'] } },
    expect: 'refuse',
  },
  {
    why: 'a rule is about a name on which opening and PROXY header disagree',
    session: { facts: { ...aExample, alpn: ['h2'], proxy_authority: 'b.example' } },
    expect: 'refuse',
  },
  {
    why: 'they disagree, and the application protocol may still be another',
    session: { facts: { ...aExample, proxy_authority: 'b.example' }, ...early },
    expect: 'more',
  },
  {
    why: 'they disagree, on a route that is out for another reason',
    session: { facts: { sni: 'c', proxy_authority: 'b.example' } },
    expect: 'none',
  },
  { why: 'or one of them for certain', session: { facts: aExample, doubtful: ['alpn'] }, expect: 'refuse' },
  {
    why: 'unless another fact has it out',
    session: { facts: { sni: 'b' }, doubtful: ['alpn'] },
    expect: 'none',
  },
  { why: 'a rule before it does not', session: { broken: true, source: '10.1.1.1' }, expect: 0 },
  { why: 'not accepted on this listener', session: { listener: HTTP_ONLY, facts: aExample }, expect: 'none' },
  {
    why: 'a rule without a protocol takes it all the same',
    session: { listener: HTTP_ONLY, source: '192.0.2.66' },
    expect: 3,
  },
  {
    why: 'and what nobody recognised',
    session: { listener: HTTP_ONLY, protocol: -1, source: '192.0.2.66' },
    expect: 3,
  },
  { why: 'a protocol that is only named', session: { protocol: NAMED_ONLY }, expect: 'none' },
  { why: 'nothing was recognised', session: { protocol: -1 }, expect: 'none' },
];

/** The answer that follows from the explanations of the routes in order. */
function explained(asked: RouteSession): Case['expect'] {
  const accepted = planOf(routes).listeners[asked.listener]?.protocols ?? [];
  const answers = routes.map(({ when }) => explainRoute(createTests(when), asked, accepted).answer);
  const first = answers.findIndex((answer) => answer !== 'no');
  const answer = answers[first] ?? 'none';
  return answer === 'yes' ? first : (answer as Case['expect']);
}

describe('route', () => {
  const table = createRouteTable(planOf(routes));
  test.each(cases)('explained alike: $why', ({ session: change, expect: expected }) =>
    expect(explained({ ...session, ...change })).toBe(expected),
  );

  test.each(cases)('$expect: $why', ({ session: change, expect: expected }) => {
    const routed = table.route({ ...session, ...change });
    expect(routed.kind === 'to' ? routed.route : routed.kind).toBe(expected);
  });

  test('the target is the route’s', () =>
    expect(table.route({ ...session, protocol: HTTP })).toEqual({
      kind: 'to',
      target: upstream(3),
      route: 4,
    }));
});

test('no routes', () => expect(createRouteTable(planOf([])).route(session)).toEqual({ kind: 'none' }));

test('facts are needed only where a route looks at them', () => {
  const table = createRouteTable(planOf(routes));
  const needs = (listener: number, protocol: number) => table.needsFacts(listener, protocol);
  expect([needs(FRONT, TLS), needs(FRONT, HTTP), needs(HTTP_ONLY, TLS), needs(FRONT, -1)]).toEqual([
    true,
    false,
    false,
    false,
  ]);
});
