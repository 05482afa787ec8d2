/** Warnings of `check`: configurations that are valid but probably not intended. */
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { programFault } from '../../src/config/file-kind.js';
import { configOf, warningLinesOf, warningsOf } from './support.js';

const base = `upstreams:
  web: { endpoints: ["10.0.0.1:80"] }
  mail: { endpoints: ["10.0.0.1:25"] }
  named: { endpoints: ["10.0.0.1:443"], affinity: sni }`;
const routes = (...lines: string[]) => `${base}\nroutes:\n${lines.map((line) => `  - ${line}\n`).join('')}`;

test('what asks for nothing is accepted without a word', () => {
  const text = `protocols: [{ name: HTTP, target: "10.0.0.1:80" }]
upstreams: { web: { endpoints: ["10.0.0.2:80"], max_connections: 0, bandwidth: { up: 0, down: 0KiB, per: session }, dns: { keep_last_good: true } } }
server: { max_connections_per_ip: 0, user: "" }
security: { ip_blacklist: [], allow_only: [], ip_whitelist: [] }
listeners: [{ name: a, address: ":1", transport: tcp+udp }]
forwards: []`;
  expect(warningsOf(text)).toEqual([]);
  expect(configOf(text).listeners).toHaveLength(1);
});

describe('a route that can never be reached', () => {
  const unreachable = [
    {
      why: 'behind the same',
      first: '{ protocol: tls, sni: a.org }',
      second: '{ protocol: tls, sni: A.org }',
    },
    {
      why: 'behind one with fewer conditions',
      first: '{ protocol: tls }',
      second: '{ protocol: TLS, sni: a.org }',
    },
    { why: 'behind a wildcard', first: '{ sni: "*.org" }', second: '{ sni: a.org, alpn: h2 }' },
    { why: 'a wildcard behind a wider one', first: '{ sni: "*.org" }', second: '{ sni: "*.a.org" }' },
    {
      why: 'behind a network that holds its own',
      first: '{ source: ["192.0.2.0/24", "10.0.0.0/8"] }',
      second: '{ source: ["10.1.0.0/16", "192.0.2.7"] }',
    },
    { why: 'behind a catch-all', first: '{}', second: '{ protocol: ssh }' },
    { why: 'behind the same user', first: '{ user: al }', second: '{ user: [al], database: b }' },
    {
      why: 'behind one for all day',
      first: '{ time: { days: mon-sun } }',
      second: '{ time: { days: [sat, mon], to: "08:00" } }',
    },
    {
      why: 'behind one that excludes less',
      first: '{ not: { protocol: tls, sni: a.org } }',
      second: '{ not: { protocol: TLS } }',
    },
  ];
  test.each(unreachable)('$why', ({ first, second }) => {
    const text = routes(`{ when: ${first}, to: web }`, `{ when: ${second}, to: mail }`);
    expect(warningsOf(text)).toEqual(['routes[1]: can never be reached: routes[0] takes all that it could']);
  });

  const reachable = [
    { why: 'the narrower one first', first: '{ protocol: tls, sni: a.org }', second: '{ protocol: tls }' },
    { why: 'another protocol', first: '{ protocol: tls }', second: '{ protocol: ssh }' },
    { why: 'the name itself is not below it', first: '{ sni: "*.a.org" }', second: '{ sni: a.org }' },
    {
      why: 'only one of its networks',
      first: '{ source: ["10.0.0.0/8"] }',
      second: '{ source: ["10.1.0.0/16", "192.0.2.7"] }',
    },
    { why: 'the other family', first: '{ source: ["::/0"] }', second: '{ source: ["10.0.0.0/8"] }' },
    { why: 'what the first excludes', first: '{ not: { source: "10.0.0.0/8" } }', second: '{}' },
    {
      why: 'another zone',
      first: '{ time: { days: mon-sun } }',
      second: '{ time: { days: mon-sun, zone: Asia/Tokyo } }',
    },
    { why: 'a condition that the second lacks', first: '{ sni: a.org, alpn: h2 }', second: '{ sni: a.org }' },
  ];
  test.each(reachable)('not: $why', ({ first, second }) =>
    expect(warningsOf(routes(`{ when: ${first}, to: web }`, `{ when: ${second}, to: mail }`))).toEqual([]),
  );

  test('a route that excludes itself', () =>
    expect(
      warningsOf(
        routes('{ when: { protocol: tls, sni: a.org, not: [{ sni: b.org }, { protocol: TLS }] }, to: web }'),
      ),
    ).toEqual(['routes[0]: can never be reached: its own `not` excludes all that it could take']));

  test.each([
    { when: '{}', says: true },
    { when: '{ listener: mail }', says: true },
    { when: '{ listener: other }', says: false },
    { when: '{ source: "10.0.0.0/8" }', says: false },
    { when: '{ protocol: tls }', says: false },
    { when: '{}', to: 'named', says: false },
  ])('what a client says or does not, where all go at accept: $when $to', ({ when, to = 'web', says }) => {
    const text = `${routes('{ when: { source: "192.0.2.1" }, to: reset }', `{ when: ${when}, to: ${to} }`)}
listeners:
  - { name: mail, address: ":1", on_silence: { to: mail }, on_unknown: mail }
  - { name: other, address: ":2", on_unknown: mail }`;
    const due = ['on_silence', 'on_unknown'].map(
      (key) =>
        `listeners[0].${key}: can never be reached: routes[1] takes every session at accept, before a byte is read`,
    );
    expect(warningsOf(text).filter((line) => line.startsWith('listeners[0]'))).toEqual(says ? due : []);
  });

  test('its place, before the word', () =>
    expect(warningLinesOf(routes('{ to: web }', '{ when: { protocol: ssh }, to: mail }'))).toEqual([
      'any.yaml:7:5: warning: routes[1]: can never be reached: routes[0] takes all that it could',
    ]));

  test("a protocol's own target behind a route for all of it", () => {
    const text = `${routes('{ when: { protocol: http }, to: web }')}protocols: [{ name: HTTP, target: mail }, { name: SSH, target: mail }]`;
    expect(warningsOf(text)).toEqual([
      'protocols[0].target: can never be reached: routes[0] takes all that it could',
    ]);
  });

  test('a protocol that its listener does not accept', () => {
    const text = `${routes('{ when: { listener: a, protocol: ssh }, to: web }', '{ when: { listener: b, protocol: ssh }, to: web }', '{ when: { listener: a }, to: web }')}
listeners: [{ name: a, address: ":1", protocols: [http] }, { name: b, address: ":2-3" }]`;
    expect(warningsOf(text)).toEqual([
      'routes[0]: can never be reached: no listener that it may come from accepts its protocol',
    ]);
  });
});

describe('a listener that leads nowhere', () => {
  test('none of its protocols is routed', () => {
    const text = `protocols: [{ name: HTTP, target: "10.0.0.1:80" }, { name: SSH }]
listeners:
  - { name: a, address: ":1" }
  - { name: b, address: ":2", protocols: [SSH] }`;
    expect(warningsOf(text)).toEqual([
      'protocols[1].name: leads nowhere: it has no target, and no route is for it',
      'listeners[1]: leads nowhere: no route and no target is for what it accepts, and every session will be closed',
    ]);
  });

  test.each(['on_unknown: web', 'on_silence: { to: web }'])('not with %s', (key) => {
    const text = `${base}
protocols: [{ name: HTTP, target: web }, { name: SSH }]
listeners: [{ name: a, address: ":1" }, { name: b, address: ":2", protocols: [SSH], ${key} }]`;
    expect(warningsOf(text).filter((text) => text.startsWith('listeners[1]:'))).toEqual([]);
  });

  test('one of several protocols is not routed', () => {
    const text = `protocols: [{ name: HTTP, target: "10.0.0.1:80" }]
routes: [{ when: { protocol: tls, listener: a }, to: reset }]
listeners: [{ name: a, address: ":1", protocols: [http, TLS] }, { name: b, address: ":2", protocols: [http, tls, ssh] }]`;
    expect(warningsOf(text)).toEqual([
      'listeners[1].protocols[1]: leads nowhere: no route that this listener has is for tls',
      'listeners[1].protocols[2]: leads nowhere: no route that this listener has is for ssh',
    ]);
  });

  test('not one that a route closes on purpose', () => {
    const text = `routes: [{ when: { listener: b }, to: drop }]
protocols: [{ name: HTTP, target: "10.0.0.1:80" }]
listeners: [{ name: a, address: ":1" }, { name: b, address: ":2", protocols: [SSH] }]`;
    expect(warningsOf(text)).toEqual([]);
  });
});

describe('an endpoint that is our own listener', () => {
  const own = [
    { listen: ':9090', target: '127.0.0.1:9090' },
    { listen: ':9090', target: 'localhost:9090' },
    { listen: ':9090', target: '[::1]:9090' },
    { listen: ':9090', target: '192.0.2.9:9090' },
    { listen: ':9090', target: 'gateway:9090' },
    { listen: '0.0.0.0:9090', target: '127.1.2.3:9090' },
    { listen: '127.0.0.1:9090', target: '127.0.0.1:9090' },
    { listen: '127.0.0.1:9090', target: '[::ffff:127.0.0.1]:9090' },
    { listen: '9000-9100', target: '127.0.0.1:9090' },
    { listen: 'unix:/run/a.sock', target: 'unix:/run/a.sock' },
    { listen: 'unix:@a', target: 'unix:@a' },
  ];
  test.each(own)('$target, listening on $listen', ({ listen, target }) => {
    const [warning] = warningsOf(
      `server: { listen: "${listen}" }\nprotocols: [{ name: HTTP, target: "${target}" }]`,
    );
    expect(warning).toContain(`protocols[0].target: \`${target}\` is our own listener`);
  });

  const others = [
    { listen: ':9090', target: '127.0.0.1:9091' },
    { listen: ':9090', target: '192.0.2.10:9090' },
    { listen: ':9090', target: 'web:9090' },
    { listen: '127.0.0.1:9090', target: '127.0.0.2:9090' },
    { listen: '192.0.2.9:9090', target: '127.0.0.1:9090' },
    { listen: '0.0.0.0:9090', target: '[::1]:9090' },
    { listen: 'unix:/run/a.sock', target: 'unix:/run/b.sock' },
  ];
  test.each(others)('not $target, listening on $listen', ({ listen, target }) =>
    expect(
      warningsOf(`server: { listen: "${listen}" }\nprotocols: [{ name: HTTP, target: "${target}" }]`),
    ).toEqual([]),
  );

  test('a name that leads there has other addresses, perhaps', () => {
    expect(warningsOf('protocols: [{ name: HTTP, target: "localhost:9090" }]')[0]).toMatch(
      /`localhost:9090` is our own listener `:9090`: that address of it is left out$/,
    );
  });

  test('of an upstream, with the name of the listener', () => {
    const text = `listeners: [{ name: front, address: ":9090", on_unknown: web }]
upstreams: { web: { endpoints: ["10.0.0.1:80", "127.0.0.1:9090"] } }`;
    expect(warningsOf(text)).toEqual([
      'upstreams.web.endpoints[1]: `127.0.0.1:9090` is our own listener `front` (:9090): a session that is sent there comes back, and one client may fill max_connections',
    ]);
  });
});

describe('a monitoring port that a listener has', () => {
  const text = (listen: string, monitoring: string) =>
    `server: { listen: "${listen}" }\nprotocols: [{ name: HTTP, target: "10.0.0.1:80" }]\nmonitoring: { ${monitoring} }`;

  test('by default, on every interface', () =>
    expect(warningsOf(text('127.0.0.1:9091-9092', 'enable_metrics: true'))).toEqual([
      'monitoring.metrics_port: 9091 is the port of listener `127.0.0.1:9091` too: take another one',
      'monitoring.health_check_port: 9092 is the port of listener `127.0.0.1:9092` too: take another one',
    ]));

  test('not on another address', () =>
    expect(warningsOf(text('127.0.0.1:9091', 'address: 127.0.0.2'))).toEqual([]));

  test('not one that is switched off', () =>
    expect(warningsOf(text(':9091', 'enable_metrics: false'))).toEqual([]));
});

test('networks with bits beyond their prefix, everywhere', () => {
  const text = `security: { ip_whitelist: ["10.0.0.0/8", "10.1.2.3/8"] }
listeners: [{ name: a, address: ":1", ip_blacklist: ["172.16.0.1/12"], proxy_protocol: { accept: true, trusted: ["192.0.2.1/24"] } }]
routes: [{ when: { source: ["2001:db8::1/32"] }, to: close }]`;
  expect(warningsOf(text)).toEqual([
    'security.ip_whitelist[1]: `10.1.2.3/8` has bits beyond its prefix: it takes effect as `10.0.0.0/8`',
    'listeners[0].ip_blacklist[0]: `172.16.0.1/12` has bits beyond its prefix: it takes effect as `172.16.0.0/12`',
    'listeners[0].proxy_protocol.trusted[0]: `192.0.2.1/24` has bits beyond its prefix: it takes effect as `192.0.2.0/24`',
    'routes[0].when.source[0]: `2001:db8::1/32` has bits beyond its prefix: it takes effect as `2001:db8::/32`',
  ]);
});

test('[::] beside one IPv4 address of its port', () => {
  const text = (listen: string) =>
    `server: { listen: [${listen}] }\nprotocols: [{ name: HTTP, target: "10.0.0.1:80" }]`;
  expect(warningsOf(text('"[::]:1", "127.0.0.1:1"'))).toEqual([
    'server.listen[0]: `[::]:1` takes IPv6 alone, because an IPv4 address of its port is listed',
  ]);
  expect(warningsOf(text('"[::]:1", "0.0.0.0:1"'))).toEqual([]);
});

describe('a host that gRPC clients have not said yet', () => {
  const at = (index: number, name: string) =>
    `routes[${index}].when.host: gRPC clients that wait for the server's SETTINGS (most do) say no host before, and are ` +
    `refused by this: name another \`protocol\` here, or put a route for \`${name}\` before it`;
  const both = 'protocols: [{ name: gRPC, target: web }, { name: HTTP2, target: web }]';
  const cases = [
    { why: 'any protocol', when: ['{ host: a.b }'], warned: [at(0, 'HTTP2')] },
    { why: 'once', when: ['{ host: a.b }', '{ host: c.d }'], warned: [at(0, 'HTTP2')] },
    {
      why: 'behind a network',
      when: ['{ source: [10.0.0.0/8] }', '{ host: a.b }'],
      warned: [at(1, 'HTTP2')],
    },
    { why: 'HTTP/2', when: ['{ protocol: http2, host: a.b }'], warned: [at(0, 'HTTP2')] },
    { why: 'not gRPC where it is HTTP/2', when: ['{ protocol: grpc, host: a.b }'], warned: [] },
    { why: 'not HTTP', when: ['{ protocol: http, host: a.b }'], warned: [] },
    {
      why: 'not where it is taken before',
      when: ['{ protocol: http2, listener: ":9090" }', '{ host: a.b }'],
      warned: [],
    },
  ];
  test.each(cases)('$why', ({ when, warned }) => {
    const text = `${routes(...when.map((each) => `{ when: ${each}, to: mail }`))}${both}`;
    expect(warningsOf(text)).toEqual(warned);
  });

  test('gRPC alone, and nothing where it is not expected', () => {
    const text = (name: string) =>
      `${routes('{ when: { host: a.b }, to: mail }')}protocols: [{ name: ${name}, target: web }]`;
    expect(warningsOf(text('gRPC'))).toEqual([at(0, 'gRPC')]);
    expect(warningsOf(text('HTTP2'))).toEqual([]);
  });
});

describe('options that have nothing to act on', () => {
  const web = (keys: string) => `protocols: [{ name: HTTP, target: web }]\nupstreams: { web: { ${keys} } }`;
  const unix = 'has no effect on `unix:/run/w.sock`: a unix socket has no such options';
  const handler = 'has no effect: a handler serves in this process';
  const cases = [
    {
      why: 'a unix socket',
      keys: 'endpoints: ["unix:/run/w.sock"], dscp: 46',
      says: [`upstreams.web.dscp: ${unix}`],
    },
    {
      why: 'one of several endpoints',
      keys: 'endpoints: ["10.0.0.5:80", "unix:/run/w.sock"], tcp: { mss: 1400 }, dscp: 46',
      says: [`upstreams.web.tcp: ${unix}`, `upstreams.web.dscp: ${unix}`],
    },
    {
      why: 'a handler',
      keys: 'handler: "builtin:echo", tcp: { keepalive: 5s }, dial_timeout: 1s, idle_timeout: 1h',
      says: [`upstreams.web.tcp: ${handler}`, `upstreams.web.dial_timeout: ${handler}`],
    },
    {
      why: 'health of a handler',
      keys: 'handler: "builtin:echo", health_check: { type: tcp }, passive_health: {}, on_down: reset',
      says: ['health_check', 'passive_health', 'on_down'].map((key) => `upstreams.web.${key}: ${handler}`),
    },
    {
      why: 'balancing for a handler',
      keys: 'handler: "builtin:echo", balance: random_two, affinity: source, slow_start: 5s, retries: 1, max_connections: 5, dns: { family: ipv4 }',
      says: ['balance', 'affinity', 'slow_start', 'retries', 'max_connections', 'dns'].map(
        (key) => `upstreams.web.${key}: ${handler}`,
      ),
    },
    { why: 'none is written', keys: 'endpoints: ["unix:/run/w.sock"], retries: 1', says: [] },
    { why: 'TCP alone', keys: 'endpoints: ["10.0.0.5:80"], tcp: { mss: 1400 }, dscp: 46', says: [] },
  ];
  test.each(cases)('$why', ({ keys, says }) => expect(warningsOf(web(keys))).toEqual(says));

  test('a weight that the strategy does not look at', () => {
    const endpoints = 'endpoints: ["10.0.0.1:80", { address: "10.0.0.2:80", weight: 3 }]';
    expect(warningsOf(web(endpoints))).toEqual([
      'upstreams.web.endpoints[1].weight: has no effect with `balance: round_robin`: weights count with `weighted_round_robin`, `least_connections`, `random_two`, `source_hash`, `consistent_hash`',
    ]);
    expect(warningsOf(web(`${endpoints}, balance: random_two`))).toEqual([]);
    expect(warningsOf(web('endpoints: ["10.0.0.1:80", { address: "10.0.0.2:80", weight: 0 }]'))).toEqual([]);
  });

  test("a protocol's own target", () => {
    const text = 'protocols: [{ name: HTTP, target: { endpoints: ["unix:/run/w.sock"], dscp: 46 } }]';
    expect(warningsOf(text)).toEqual([`protocols[0].target.dscp: ${unix}`]);
  });
});

describe('connections opened ahead', () => {
  const web = (warm: number, workers: number) =>
    `server: { workers: ${workers} }\nprotocols: [{ name: HTTP, target: web }]\nupstreams: { web: { endpoints: ["10.0.0.1:80"], pool: { warm: ${warm} } } }`;

  test('a worker that has none is told of', () => {
    expect(warningsOf(web(2, 3))).toEqual([
      'upstreams.web.pool.warm: is less than the 3 workers: 1 of them have none for an endpoint, and their sessions connect themselves',
    ]);
    expect([...warningsOf(web(3, 3)), ...warningsOf(web(0, 3))]).toEqual([]);
  });
});

describe('health checks that can not run', () => {
  const web = (endpoint: string, check: string) =>
    `protocols: [{ name: HTTP, target: web }]
upstreams: { web: { endpoints: ["${endpoint}"], health_check: { ${check} } } }`;
  const at = (key: string) => `upstreams.web.health_check.${key}`;
  const [tcp, unix] = ['10.0.0.5:80', 'unix:/run/w.sock'];
  const exec = 'type: exec, command: /opt/probe';
  const datagrams = 'takes no datagrams, and will be down: write `address` and `port` to ask elsewhere';
  const cases = [
    { endpoint: tcp, check: exec, says: [`${at('command')}: can not be run: /opt/probe: no such file`] },
    { endpoint: tcp, check: 'type: tcp, port: 81, address: 10.0.0.6', says: [] },
    {
      endpoint: tcp,
      check: 'type: tcp, interval: 1500ms, timeout: 2s, fall: 4',
      says: [
        `${at('timeout')}: is longer than \`interval\` (1500ms): an endpoint that does not answer is down after 4 x 2s`,
      ],
    },
    { endpoint: tcp, check: 'type: tcp, interval: 2s, timeout: 2s', says: [] },
    { endpoint: tcp, check: 'type: tcp, interval: 500ms', says: [] },
    {
      endpoint: unix,
      check: 'type: tcp, port: 81',
      says: [
        `${at('port')}: has no effect on \`${unix}\`: a unix socket has no ports; write \`address\` too to ask elsewhere`,
      ],
    },
    {
      endpoint: unix,
      check: 'type: tcp, address: 10.0.0.6',
      says: [`${at('address')}: leaves no port to ask for \`${unix}\`: write \`port\` too`],
    },
    { endpoint: unix, check: 'type: stun', says: [`${at('type')}: \`${unix}\` ${datagrams}`] },
    { endpoint: unix, check: 'type: stun, address: 10.0.0.6, port: 3478', says: [] },
    { endpoint: unix, check: 'type: tcp', says: [] },
  ];
  test.each(cases)('$check at $endpoint', ({ endpoint, check, says }) => {
    expect(warningsOf(web(endpoint, check))).toEqual(says);
  });

  test('a command that can be run', () => {
    expect(warningsOf(web(tcp, exec), { programs: ['/opt/probe'] })).toEqual([]);
  });

  test.each([
    { path: '/nonexistent/probe', fault: 'no such file' },
    { path: '/etc', fault: 'is no regular file' },
    { path: resolve('package.json'), fault: 'may not be run by this user' },
    { path: process.execPath, fault: null },
  ])('what the machine says of $path', ({ path, fault }) => expect(programFault(path)).toBe(fault));
});
