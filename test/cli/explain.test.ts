/** `explain`: the destination of bytes under a configuration, and the verdict on every protocol and route. */

import { describe, expect, test } from 'vitest';
import { explain } from '../../src/cli/explain/explanation.js';
import { explanationText } from '../../src/cli/explain/print.js';
import { compile } from '../../src/config/compile.js';
import { NOTHING_DISCOVERED } from '../../src/model/config.js';
import { IdRegistry } from '../../src/plane/ids.js';
import { text } from '../cases/case.js';
import { hello, records, serverName } from '../cases/tls.js';
import { configOf } from '../config/support.js';

const plan = compile(
  configOf(`
protocols:
  - { name: SSH, target: "10.0.0.9:22" }
  - { name: TLS, target: web }
  - { name: HTTP, target: "10.0.0.5:80" }
listeners:
  - { name: front, address: ":1", proxy_protocol: { accept: true, trusted: ["192.0.2.0/24"] } }
  - { name: back, address: ":2", protocols: [http], on_unknown: web, on_silence: { after: 300ms, to: close } }
routes:
  - { when: { protocol: tls, sni: "*.example.org" }, to: reset }
  - { when: { protocol: tls, sni: a.example, source: ["10.0.0.0/8"] }, to: drop }
  - { when: { protocol: http, host: b.example }, to: web }
  - { when: { listener: back, source: ["203.0.113.9"] }, to: close }
upstreams: { web: { endpoints: ["w:443"] } }`),
  NOTHING_DISCOVERED,
  1,
  new IdRegistry(),
);
const listenerOf = (name: string) => plan.listeners.findIndex((listener) => listener.name === name);

const hi = records(hello([serverName('a.example')]));
const request = text('GET / HTTP/1.1\r\nHost: b.example\r\n\r\n');
const behind = (header: string, bytes: Uint8Array) => Buffer.concat([text(header), bytes]);

interface Case {
  readonly why: string;
  readonly listener?: string;
  readonly from?: string;
  readonly bytes: Uint8Array;
  readonly target: string | null;
  readonly by: string;
  /** Verdicts of the routes in order, with the deciding prefix length. */
  readonly routes: string;
}

const cases: Case[] = [
  {
    why: 'the second route, by server name and source',
    from: '10.1.1.1',
    bytes: hi,
    target: 'drop',
    by: 'route',
    routes: `no ${hi.length}, taken ${hi.length}, no 1, no 0, no 1, shadowed 11, no 1`,
  },
  {
    why: 'nobody knows the source: the protocol’s own target',
    bytes: hi,
    target: 'web',
    by: 'route',
    routes: `no ${hi.length}, no 0, no 1, no 0, no 1, taken 11, no 1`,
  },
  {
    why: 'the source that a trusted peer announces, and bytes counted from the first that came',
    from: '192.0.2.7',
    bytes: behind('PROXY TCP4 10.1.1.1 192.0.2.1 1 2\r\n', hi),
    target: 'drop',
    by: 'route',
    routes: `no ${35 + hi.length}, taken ${35 + hi.length}, no 36, no 0, no 36, shadowed 46, no 36`,
  },
  {
    why: 'a trusted peer without a header',
    from: '192.0.2.7',
    bytes: text('SSH-2.0-x\r\n'),
    target: 'reset',
    by: 'proxy_protocol',
    routes: '',
  },
  {
    why: 'a header that is not whole',
    from: '192.0.2.7',
    bytes: text('PROXY TCP4 10.1'),
    target: null,
    by: 'limits',
    routes: '',
  },
  {
    why: 'the protocol is not known yet',
    bytes: text('GET / HT'),
    target: null,
    by: 'limits',
    routes: 'no 1, no 1, more 8, no 0, no 1, no 1, more 8',
  },
  {
    why: 'a fact is not known yet',
    bytes: request.subarray(0, 20),
    target: null,
    by: 'limits',
    routes: 'no 1, no 1, more 20, no 0, no 1, no 1, shadowed 16',
  },
  {
    why: 'nobody knows it',
    bytes: text('zz zz zz\r\n'),
    target: 'close',
    by: 'on_unknown',
    routes: 'no 7, no 7, no 7, no 7, no 7, no 7, no 7',
  },
  {
    why: 'where the unknown has a place to go, what is not accepted is not named',
    listener: 'back',
    bytes: hi,
    target: 'web',
    by: 'on_unknown',
    routes: 'no 1, no 1, no 1, no 1, no 1, no 1, no 1',
  },
  {
    why: 'a client that says nothing',
    listener: 'back',
    bytes: new Uint8Array(),
    target: 'close',
    by: 'on_silence',
    routes: 'no 0, no 0, more 0, no 0, no 0, no 0, more 0',
  },
];

describe('where it goes', () => {
  test.each(cases)('$why', async ({ listener = 'front', from = '', bytes, target, by, routes }) => {
    const explanation = await explain(plan, listenerOf(listener), { source: from, bytes });
    expect(explanation.outcome).toMatchObject({ target, by });
    expect(explanation.routes.map(({ verdict, atByte }) => `${verdict} ${atByte}`).join(', ')).toBe(routes);
    const winners = explanation.protocols.filter(({ verdict }) => verdict === 'wins');
    expect(winners.length).toBe(explanation.verdict === 'match' ? 1 : 0);
  });
});

test('for people', async () => {
  const explanation = await explain(plan, listenerOf('front'), { source: '10.1.1.1', bytes: request });
  const lines = explanationText(explanation, plan).split('\n');
  expect(lines).toEqual(
    expect.arrayContaining([
      'protocol  http, decided at byte 16',
      'host      b.example',
      'goes to   web (w:443)',
      'because   route: routes[2] holds',
      expect.stringMatching(/^SSH +no +1 +47 "G" does not fit its signature$/),
      expect.stringMatching(/^HTTP +wins +16 +its signature matches$/),
      expect.stringMatching(
        /^routes\[0\] +- +protocol TLS, sni \*\.example\.org +reset +no +1 +protocol is HTTP$/,
      ),
      expect.stringMatching(/^routes\[1\] .* +no +1 +protocol is HTTP$/),
      expect.stringMatching(
        /^protocols\.HTTP +- +protocol HTTP +HTTP +shadowed +16 +it holds, but routes\[2\] comes first$/,
      ),
    ]),
  );
});

describe('an opening that a silence settles', () => {
  const opening = text('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0');
  const target = 'target: "10.0.0.1:1"';
  const lists = [
    { names: ['gRPC', 'HTTP2'], protocol: 'http2', route: 'protocols.HTTP2 holds', grpc: 'no' },
    { names: ['gRPC'], protocol: 'grpc', route: 'protocols.gRPC holds', grpc: 'wins' },
  ];
  test.each(lists)('$names', async ({ names, protocol, route, grpc }) => {
    const config = `protocols: [${names.map((name) => `{ name: ${name}, ${target} }`).join()}]`;
    const own = compile(configOf(config), NOTHING_DISCOVERED, 1, new IdRegistry());
    const explanation = await explain(own, 0, { source: '', bytes: opening });
    expect(explanation).toMatchObject({ protocol, verdict: 'match', quietMs: 200, outcome: { why: route } });
    expect(explanation.protocols.find((row) => row.protocol === 'gRPC')).toMatchObject({ verdict: grpc });
    expect(explanationText(explanation, own)).toContain('nothing more has come for 200 ms');
  });
});

describe('times and what is excluded', () => {
  const own = compile(
    configOf(`
protocols: [{ name: TLS, target: up }]
routes:
  - { when: { protocol: tls, time: { days: mon-fri, from: "08:00", to: "18:00", zone: Europe/Berlin } }, to: reset }
  - { when: { protocol: tls, not: [{ sni: a.example, source: "10.0.0.0/8" }, { protocol: http }] }, to: drop }
upstreams: { up: { endpoints: ["10.0.0.1:1"] } }`),
    NOTHING_DISCOVERED,
    1,
    new IdRegistry(),
  );
  const rowsAt = async (from: string, at: string) => {
    const explanation = await explain(own, 0, { source: from, bytes: hi }, Date.parse(at));
    return explanation.routes.map(({ verdict, why }) => `${verdict}: ${why}`);
  };

  test('in the middle of the day', async () =>
    expect(await rowsAt('', '2026-11-25T07:00:00Z')).toMatchObject([
      'taken: every condition holds',
      'shadowed: it holds, but routes[0] comes first',
      {},
    ]));

  test('before it', async () =>
    expect(await rowsAt('10.1.1.1', '2026-11-25T06:59:59Z')).toEqual([
      'no: time is 2026-11-25T06:59:59.000Z',
      'no: it is what `not` excludes',
      'taken: every condition holds',
    ]));

  test('how they are written', async () => {
    const explanation = await explain(own, 0, { source: '', bytes: hi });
    expect(explanation.routes.map(({ when }) => when)).toEqual([
      { protocol: 'TLS', time: 'mon-fri 08:00-18:00 Europe/Berlin' },
      { protocol: 'TLS', not: '(source 10.0.0.0/8, sni a.example), (protocol http)' },
      { protocol: 'TLS' },
    ]);
  });

  test('the name that is excluded may still come', async () => {
    const start = { source: '10.1.1.1', bytes: hi.subarray(0, 20) };
    const explanation = await explain(own, 0, start, Date.parse('2026-11-22T12:00:00Z'));
    expect(explanation.routes[1]).toMatchObject({
      verdict: 'more',
      why: 'what `not` excludes is not known yet',
    });
  });
});

describe('an upstream that knows clients by a fact', () => {
  const own = compile(
    configOf(`
protocols: [{ name: TLS, target: plain }]
routes: [{ when: { source: "10.0.0.0/8" }, to: named }, { to: plain }]
upstreams:
  plain: { endpoints: ["10.0.0.1:1"], hash_key: sni }
  named: { endpoints: ["10.0.0.1:1"], balance: consistent_hash, hash_key: sni, affinity: source }`),
    NOTHING_DISCOVERED,
    1,
    new IdRegistry(),
  );
  const from = async (source: string, bytes: Uint8Array) => {
    const { verdict, outcome, routes } = await explain(own, 0, { source, bytes });
    return { verdict, target: outcome.target, first: `${routes[0]?.verdict}: ${routes[0]?.why}` };
  };
  const awaits = 'more: its upstream knows clients by sni, which is not known yet';

  test('its route is not decided at accept', async () =>
    expect(await from('10.1.1.1', Buffer.alloc(0))).toEqual({
      verdict: 'more',
      target: null,
      first: awaits,
    }));

  test('nor before the fact is there', async () =>
    expect(await from('10.1.1.1', hi.subarray(0, 20))).toEqual({
      verdict: 'match',
      target: null,
      first: awaits,
    }));

  test('but then', async () =>
    expect(await from('10.1.1.1', hi)).toMatchObject({ verdict: 'match', target: 'named' }));

  test('other sources go on at accept; a hash_key that the strategy does not read is none', async () =>
    expect(await from('192.0.2.1', Buffer.alloc(0))).toMatchObject({ verdict: 'unread', target: 'plain' }));
});

describe('decided at accept', () => {
  const own = compile(
    configOf(`
protocols: [{ name: TLS, target: up }]
listeners:
  - { name: front, address: ":1" }
  - { name: back, address: ":2", protocols: [tls], proxy_protocol: { accept: true, trusted: ["192.0.2.0/24"] } }
routes:
  - { when: { protocol: http, listener: back }, to: drop }
  - { when: { source: "10.0.0.0/8", not: { source: "10.1.0.0/16" } }, to: reset }
  - { when: { sni: a.example, source: "203.0.113.9" }, to: close }
  - { when: { listener: back, time: { days: mon-fri } }, to: up }
upstreams: { up: { endpoints: ["10.0.0.1:1"] } }`),
    NOTHING_DISCOVERED,
    1,
    new IdRegistry(),
  );
  const rows = [
    {
      on: 0,
      from: '10.2.0.1',
      day: '25',
      bytes: hi,
      verdict: 'unread',
      target: 'reset',
      why: 'no: listener is front',
    },
    {
      on: 0,
      from: '10.1.0.1',
      day: '25',
      bytes: hi,
      verdict: 'match',
      target: 'up',
      why: 'no: protocol is TLS',
    },
    {
      on: 1,
      from: '10.1.0.1',
      day: '25',
      bytes: hi,
      verdict: 'unread',
      target: 'up',
      why: 'no: protocol is not accepted here',
    },
    {
      on: 1,
      from: '10.1.0.1',
      day: '22',
      bytes: hi,
      verdict: 'match',
      target: 'up',
      why: 'no: protocol is TLS',
    },
    {
      on: 1,
      from: '203.0.113.9',
      day: '25',
      bytes: hi,
      verdict: 'match',
      target: 'close',
      why: 'no: protocol is TLS',
    },
    {
      on: 1,
      from: '192.0.2.1',
      day: '22',
      bytes: behind('PROXY TCP4 10.2.0.1 10.0.0.9 1 2\r\n', new Uint8Array()),
      verdict: 'unread',
      target: 'reset',
      why: 'no: protocol is not accepted here',
    },
  ] as const;
  test.each(rows)('$on $from $day → $target', async ({ on, from, day, bytes, verdict, target, why }) => {
    const explanation = await explain(own, on, { source: from, bytes }, Date.parse(`2026-11-${day}T12:00Z`));
    expect(explanation).toMatchObject({ verdict, outcome: { target } });
    const [first] = explanation.routes;
    expect(`${first?.verdict}: ${first?.why}`).toBe(why);
    const taken = explanation.routes.filter((row) => row.verdict === 'taken');
    expect(taken).toMatchObject([{ to: target, ...(verdict === 'unread' && { atByte: 0 }) }]);
  });

  test('for people', async () => {
    const explanation = await explain(own, 0, { source: '10.2.0.1', bytes: hi });
    const lines = explanationText(explanation, own).split('\n');
    expect(lines).toContain('protocol  not asked: decided at accept');
    expect(lines).toContain('because   route: routes[1] holds, whatever the client says');
  });
});

test('what only its name is waited for is said to be held for a second', async () => {
  const heldFor = async (route: string) => {
    const config = `protocols: [{ name: SSH, target: up }]\nroutes: [${route}]\nupstreams: { up: { endpoints: ["10.0.0.1:1"] } }`;
    const own = compile(configOf(config), NOTHING_DISCOVERED, 1, new IdRegistry());
    return (await explain(own, 0, { source: '', bytes: text('GET / HTTP/1.1\r\nHost: a\r\n') })).outcome.why;
  };
  expect(await heldFor('')).toContain('for 1000 ms at most');
  expect(await heldFor('{ when: { source: ["10.0.0.0/8"] }, to: up }')).toContain('for 15000 ms at most');
});

describe('what is said before the session', () => {
  const own = compile(
    configOf(`
listeners: [{ name: front, address: ":1" }]
protocols: [{ name: HTTP, target: db }, { name: Postgres }]
routes: [{ when: { protocol: postgres, sni: a.example }, to: db }]
upstreams:
  db: { endpoints: ["a:5432"], proxy_protocol: { tlvs: [authority, crc32c] } }`),
    NOTHING_DISCOVERED,
    1,
    new IdRegistry(),
  );
  const ssl = Buffer.from('0000000804d2162f', 'hex');
  const gss = Buffer.from('0000000804d21630', 'hex');
  const of = async (...parts: Uint8Array[]) =>
    explanationText(await explain(own, 0, { source: '', bytes: Buffer.concat(parts) }), own);

  test('a PROXY header', async () => {
    expect(await of(request)).toMatch(/^sends +a PROXY header, v2 with authority, crc32c$/m);
  });

  test('a request for TLS is answered, and what follows is awaited', async () => {
    const told = await of(ssl);
    expect(told).toMatch(/^answers +S, for its TLS hello$/m);
    expect(told).toMatch(/^goes to +-$/m);
    expect(told).not.toMatch(/^sends/m);
  });

  test('with the hello it has a route, and the endpoint is asked', async () => {
    const told = await of(gss, ssl, hi);
    expect(told).toMatch(/^answers +N, for its next request; then S, for its TLS hello$/m);
    expect(told).toMatch(/^goes to +db /m);
    expect(told).toMatch(/^sends +a PROXY header, v2 .*; then SSLRequest, and awaits S$/m);
  });
});

test('the proxies on the way to an upstream are named, without who asks them', async () => {
  const own = compile(
    configOf(`protocols: [{ name: HTTP, target: far }]
upstreams: { far: { endpoints: ["a:80"], via: ["http://al:s3cret@one:3128", "socks5://two"] } }`),
    NOTHING_DISCOVERED,
    1,
    new IdRegistry(),
  );
  const told = explanationText(await explain(own, 0, { source: '', bytes: request }), own);
  expect(told).toMatch(/^through +http:\/\/one:3128, then socks5:\/\/two:1080$/m);
  expect(told).not.toContain('s3cret');
});
