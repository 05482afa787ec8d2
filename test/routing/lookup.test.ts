/** Route look-up: same answer as evaluating routes in order, with effort independent of their number. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Conditions, Plan } from '../../src/model/plan.js';
import type { RouteSession } from '../../src/routing/condition.js';
import { createTests } from '../../src/routing/conditions/index.js';
import { explainRoute } from '../../src/routing/explain.js';
import { createRouteTable, type RouteTable } from '../../src/routing/table.js';
import { listedRoutes } from '../support/plan.js';

const target = { kind: 'end', closing: 'close' } as const;

function tableOf(whens: readonly Conditions[]): RouteTable {
  const routes = listedRoutes(whens.map((when) => ({ when, to: target })));
  // The part of a Plan that a route table reads.
  const listeners = [{ protocols: [0, 1] }, { protocols: [1] }];
  return createRouteTable({ routes, listeners, protocols: [{}, {}, {}] } as unknown as Plan);
}

const outcome = (table: RouteTable, session: RouteSession): unknown => {
  const routed = table.route(session);
  return routed.kind === 'to' ? routed.route : routed.kind;
};

/** The oracle: evaluates one route after the other. */
function walked(whens: readonly Conditions[], session: RouteSession): unknown {
  const accepted = session.listener === 0 ? [0, 1] : [1];
  const protocol = accepted.includes(session.protocol) ? session.protocol : -1;
  for (const [index, when] of whens.entries()) {
    const { answer } = explainRoute(createTests(when), { ...session, protocol });
    if (answer !== 'no') return answer === 'yes' ? index : answer;
  }
  return 'none';
}

// ---- few distinct values, so that routes and sessions often match

const label = fc.constantFrom('a', 'b', 'c');
const name = fc.array(label, { minLength: 1, maxLength: 3 }).map((labels) => labels.join('.'));
const pattern = fc.tuple(fc.boolean(), name).map(([below, text]) => (below ? `*.${text}` : text));
const protocolName = fc.constantFrom('h2', 'x', 'x.');
const address = fc.constantFrom(
  ...[
    '',
    '10.0.0.1',
    '10.0.0.2',
    '10.1.0.1',
    '::ffff:10.0.0.1',
    '2001:db8::1',
    '2001:db8:1::1',
    '::1',
    '0.0.0.0',
  ],
);
const network = fc.constantFrom(
  ...['10.0.0.0/8', '10.0.0.0/24', '10.0.0.1', '10.0.0.1/31', '0.0.0.0/0', '::/0', '::1', '2001:db8::/32'],
  ...['2001:db8::/48', '::ffff:10.0.0.0/104', '2001:db8::1/128', '0:0:0:0:0:ffff:a00:1'],
);

const pathPattern = fc.constantFrom('/', '/a', '/a/b', '/a/*', '/*', '/a/b/*', '/b');
const some = (value: fc.Arbitrary<string>) =>
  fc.oneof(value, fc.array(value, { minLength: 1, maxLength: 12 }));

const route: fc.Arbitrary<Conditions> = fc.record(
  {
    protocol: fc.integer({ min: 0, max: 2 }),
    listener: fc.integer({ min: 0, max: 1 }),
    sni: some(pattern),
    host: some(pattern),
    alpn: some(protocolName),
    path: some(pathPattern),
    source: fc.array(network, { minLength: 1, maxLength: 3 }),
  },
  { requiredKeys: [] },
);

const session: fc.Arbitrary<RouteSession> = fc.record({
  listener: fc.integer({ min: 0, max: 1 }),
  protocol: fc.integer({ min: -1, max: 2 }),
  source: address,
  facts: fc.record(
    {
      sni: fc.oneof(
        name,
        name.map((text) => `${text}.`),
        fc.constantFrom('', '.', '.a', '..a', 'a..b', '.a.'),
      ),
      host: fc.oneof(
        name,
        name.map((text) => `x.${text}`),
      ),
      proxy_authority: name,
      path: fc.constantFrom(
        '/',
        '/a',
        '/a/b',
        '/a/b/c',
        '/b?a',
        '/%61',
        '/a%2fb',
        '/a/../b',
        '*',
        'http://h/a',
      ),
      alpn: fc.array(protocolName, { maxLength: 3 }),
    },
    { requiredKeys: [] },
  ),
  factsComplete: fc.boolean(),
  broken: fc.boolean(),
  doubtful: fc.subarray(['sni', 'host', 'alpn', 'path']),
});

test('the first that holds, as if all were asked in order', () => {
  fc.assert(
    fc.property(
      fc.array(route, { maxLength: 12 }),
      fc.array(session, { minLength: 1, maxLength: 8 }),
      (routes, asked) => {
        const table = tableOf(routes);
        for (const each of asked) expect(outcome(table, each)).toBe(walked(routes, each));
      },
    ),
    { numRuns: 5000 },
  );
});

// ---- effort

/** A session that counts reads of its facts and address. */
class Watched implements RouteSession {
  readonly listener = 0;
  readonly protocol = 0;
  readonly broken = false;
  readonly doubtful = [];
  looks = 0;

  constructor(
    readonly known: RouteSession['facts'],
    readonly from: string,
    readonly factsComplete = true,
  ) {}

  get facts(): RouteSession['facts'] {
    this.looks += 1;
    return this.known;
  }

  get source(): string {
    this.looks += 1;
    return this.from;
  }
}

const many = 20_000;
const routesOf = (make: (index: number) => Conditions) =>
  Array.from({ length: many }, (_, index) => make(index));
const addressOf = (index: number): string => `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`;

describe(`among ${many} routes`, () => {
  const last = many - 1;
  const rows: { why: string; routes: Conditions[]; session: Watched; expect: unknown }[] = [
    {
      why: 'by host',
      routes: routesOf((i) => ({ host: `h${i}.a` })),
      session: new Watched({ host: `h${last}.a` }, ''),
      expect: last,
    },
    {
      why: 'by suffix',
      routes: routesOf((i) => ({ host: `*.h${i}.a` })),
      session: new Watched({ host: `x.h${last}.a` }, ''),
      expect: last,
    },
    {
      why: 'by SNI, with an ALPN that all have',
      routes: routesOf((i) => ({ alpn: 'h2', sni: `h${i}.a` })),
      session: new Watched({ sni: `h${last}.a`, alpn: ['h2'] }, ''),
      expect: last,
    },
    {
      why: 'by path',
      routes: routesOf((i) => ({ path: `/h${i}/*` })),
      session: new Watched({ path: `/h${last}/a` }, ''),
      expect: last,
    },
    {
      why: 'by one of several hosts',
      routes: routesOf((i) => ({ host: [`h${i}.a`, `*.h${i}.b`] })),
      session: new Watched({ host: `x.h${last}.b` }, ''),
      expect: last,
    },
    {
      why: 'in one route for all',
      routes: [{ host: Array.from({ length: many }, (_, i) => `h${i}.a`) }],
      session: new Watched({ host: `h${last}.a` }, ''),
      expect: 0,
    },
    {
      why: 'by source',
      routes: routesOf((i) => ({ source: [addressOf(i)] })),
      session: new Watched({}, addressOf(last)),
      expect: last,
    },
    {
      why: 'by host and source',
      routes: routesOf((i) => ({ host: 'a', source: [addressOf(i)] })),
      session: new Watched({ host: 'a' }, addressOf(last)),
      expect: last,
    },
    {
      why: 'the host is still to come, and the source has it out of all but one',
      routes: routesOf((i) => ({ host: 'a', source: [addressOf(i)] })),
      session: new Watched({}, addressOf(last), false),
      expect: 'more',
    },
    {
      why: 'by protocol',
      routes: routesOf((i) => ({ protocol: i === last ? 0 : 1 })),
      session: new Watched({}, ''),
      expect: last,
    },
    {
      why: 'by none',
      routes: routesOf((i) => ({ host: `h${i}.a` })),
      session: new Watched({ host: 'b' }, ''),
      expect: 'none',
    },
  ];
  test.each(rows)('$why: few are asked', ({ routes, session: asked, expect: due }) => {
    expect(outcome(tableOf(routes), asked)).toBe(due);
    expect(asked.looks).toBeLessThan(10);
  });
});
