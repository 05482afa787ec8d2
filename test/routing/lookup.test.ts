/** Route look-up: same answer as evaluating routes in order, with effort independent of their number. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Conditions, Plan } from '../../src/model/plan.js';
import { type RouteSession, UNDECIDED } from '../../src/routing/condition.js';
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
function walker(whens: readonly Conditions[]) {
  const routes = whens.map(createTests);
  return (session: RouteSession): unknown => {
    const accepted = session.listener === 0 ? [0, 1] : [1];
    for (const [index, tests] of routes.entries()) {
      const { answer } = explainRoute(tests, session, accepted);
      if (answer !== 'no') return answer === 'yes' ? index : answer;
    }
    return 'none';
  };
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

const period = fc.constantFrom('mon-sun 00:00-12:00 UTC', 'thu 00:00-24:00 UTC', 'fri-mon 18:00-06:00 UTC');
const user = fc.constantFrom('a', 'b', 'b.');

const own = {
  protocol: fc.integer({ min: 0, max: 2 }),
  listener: fc.integer({ min: 0, max: 1 }),
  sni: some(pattern),
  host: some(pattern),
  alpn: some(protocolName),
  path: some(pathPattern),
  source: fc.array(network, { minLength: 1, maxLength: 3 }),
  user: some(user),
  time: some(period),
};
const set = (conditions: Partial<typeof own>): fc.Arbitrary<Conditions> =>
  fc.record(conditions, { requiredKeys: [] });
const withNot = (conditions: Partial<typeof own>): fc.Arbitrary<Conditions> => {
  const excluded = set(conditions).filter((each) => Object.keys(each).length > 0);
  return fc
    .tuple(
      set(conditions),
      fc.option(fc.oneof(excluded, fc.array(excluded, { minLength: 1, maxLength: 3 })), { freq: 3 }),
    )
    .map(([when, not]) => (not === null ? when : { ...when, not }));
};
const route = withNot(own);

const session: fc.Arbitrary<RouteSession> = fc.record({
  listener: fc.integer({ min: 0, max: 1 }),
  protocol: fc.integer({ min: -1, max: 2 }),
  source: address,
  nowMs: fc.integer({ min: 0, max: 7 * 24 * 60 }).map((minutes) => minutes * 60_000),
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
      user,
    },
    { requiredKeys: [] },
  ),
  factsComplete: fc.boolean(),
  broken: fc.boolean(),
  doubtful: fc.subarray(['sni', 'host', 'alpn', 'path', 'user']),
});

test('the first that holds, as if all were asked in order', () => {
  fc.assert(
    fc.property(
      fc.array(route, { maxLength: 12 }),
      fc.array(session, { minLength: 1, maxLength: 8 }),
      (routes, asked) => {
        const table = tableOf(routes);
        const walk = walker(routes);
        for (const each of asked) expect(outcome(table, each)).toBe(walk(each));
      },
    ),
    { numRuns: 5000 },
  );
});

// ---- before the first byte

const early = (table: RouteTable, { listener, source, nowMs }: RouteSession): unknown => {
  const unread = { facts: {}, factsComplete: false, broken: false, doubtful: [], protocol: UNDECIDED };
  const routed = table.routeAtAccept({ listener, source, nowMs, ...unread });
  return routed?.route ?? null;
};

test('what is decided at accept would be decided alike by any bytes', () => {
  let decided = 0;
  const { listener, source, time } = own;
  const some = fc.oneof(route, withNot({ listener, source, time }));
  fc.assert(
    fc.property(
      fc.array(some, { maxLength: 6 }),
      fc.array(session, { minLength: 1, maxLength: 8 }),
      (routes, asked) => {
        const table = tableOf(routes);
        for (const each of asked) {
          const route = early(table, each);
          if (route === null) continue;
          decided += 1;
          expect(table.decidesAtAccept(each.listener)).toBe(true);
          // Whatever the others say of the client, with the same listener, source and time.
          for (const { protocol, facts, factsComplete, broken, doubtful } of asked)
            expect(outcome(table, { ...each, protocol, facts, factsComplete, broken, doubtful })).toBe(route);
        }
      },
    ),
    { numRuns: 5000 },
  );
  expect(decided).toBeGreaterThan(1000);
});

test('all that asks for listener, source and time alone is decided at accept', () => {
  const { listener, source, time } = own;
  fc.assert(
    fc.property(fc.array(withNot({ listener, source, time }), { maxLength: 6 }), session, (routes, asked) => {
      const table = tableOf(routes);
      const due = walker(routes)(asked);
      expect(early(table, asked)).toBe(due === 'none' ? null : due);
    }),
    { numRuns: 3000 },
  );
});

test.each([
  {
    why: 'bytes decide whether the first is taken',
    routes: [{ protocol: 1 }, { source: ['::/0'] }],
    decides: false,
  },
  {
    why: 'its protocol is not accepted there',
    routes: [{ protocol: 2 }, { source: ['::/0'] }],
    decides: true,
  },
  { why: 'the first may be out by its source', routes: [{ sni: 'a', source: ['::1'] }, {}], decides: true },
  { why: 'for another listener', routes: [{ listener: 1, source: ['::1'] }, { sni: 'a' }], decides: false },
  { why: 'the name is excluded', routes: [{ not: { sni: 'a' } }, {}], decides: false },
  { why: 'but not from there', routes: [{ not: { sni: 'a', source: ['::1'] } }], decides: true },
  { why: 'no routes', routes: [], decides: false },
])('a listener asks at accept only where that can help: $why', ({ routes, decides }) =>
  expect(tableOf(routes).decidesAtAccept(0)).toBe(decides),
);

test('a route whose target needs bytes is not decided at accept, nor is one behind it that could be', () => {
  const named = { kind: 'upstream', upstream: 0 } as const;
  const routes = listedRoutes([
    { when: { source: ['10.0.0.0/8'] }, to: named },
    { when: {}, to: target },
  ]);
  const plan = { routes, listeners: [{ protocols: [0] }], protocols: [{}] } as unknown as Plan;
  const tables = [false, true].map((awaits) => createRouteTable(plan, (to) => awaits && to === named));
  const decided = (source: string) =>
    tables.map((table) => early(table, { listener: 0, source, nowMs: 0 } as RouteSession));
  expect(decided('10.1.1.1')).toEqual([0, null]);
  expect(decided('192.0.2.1')).toEqual([1, 1]);
});

// ---- effort

/** A session that counts reads of its facts and address. */
class Watched implements RouteSession {
  readonly listener = 0;
  readonly protocol = 0;
  readonly nowMs = 0;
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

  test('a thousand listeners prepare for accepting in no time', () => {
    const listeners = Array.from({ length: 1000 }, () => ({ protocols: [0] }));
    const whens = routesOf((i) => ({ source: [addressOf(i)] }));
    const routes = listedRoutes(whens.map((when) => ({ when, to: target })));
    const table = createRouteTable({ routes, listeners, protocols: [{}] } as unknown as Plan);
    const cpuMs = () => process.cpuUsage().user / 1000;
    const before = cpuMs();
    expect(table.decidesAtAccept(0)).toBe(true);
    const once = cpuMs();
    for (const listener of listeners.keys()) expect(table.decidesAtAccept(listener)).toBe(true);
    expect(cpuMs() - once).toBeLessThan(10 * (once - before) + 100);
  });

  test('by source, at accept', () => {
    const asked = new Watched({}, addressOf(last));
    const table = tableOf(routesOf((i) => ({ source: [addressOf(i)], ...(i % 2 === 0 && { sni: 'a' }) })));
    expect(table.routeAtAccept(asked)?.route).toBe(last);
    expect(asked.looks).toBeLessThan(10);
  });
});
