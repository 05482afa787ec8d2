/** What a configuration that is right becomes. */
import { describe, expect, test } from 'vitest';
import { noLists } from '../../src/config/validate/lists.js';
import { configOf, problemsOf } from './support.js';

describe('defaults', () => {
  const config = configOf('');
  test('the server', () =>
    expect(config.server).toEqual({
      workers: 3,
      accept: 'reuseport',
      maxConnections: 1024,
      maxConnectionsPerSource: 0,
      maxIdentifying: 0,
      tarpitMax: 256,
      tarpitHoldMs: 60_000,
      bufferBytes: 32_768,
      identifyTimeoutMs: 15_000,
      identifyMinBytes: 1024,
      longOpeningsPerSource: 64,
      identifyMaxBytes: 65_536,
      dialTimeoutMs: 5_000,
      idleTimeoutMs: 3_600_000,
      halfCloseTimeoutMs: 60_000,
      udp: {
        idleTimeoutMs: 60_000,
        maxFlows: 65_536,
        maxFlowsPerSource: 1024,
        receiveBufferBytes: 4 * 1024 ** 2,
      },
      cacheTtlMs: 300_000,
      drainDelayMs: 0,
      gracefulShutdownTimeoutMs: 60_000,
      upgradeTimeoutMs: 30_000,
      reloadOnChange: true,
      identity: null,
    }));
  test('one listener on every interface', () =>
    expect(config.listeners).toEqual([
      {
        name: ':9090',
        transport: 'tcp',
        kcp: null,
        address: { kind: 'inet', host: '::', port: 9090, text: ':9090' },
        protocols: [],
        onUnknown: { kind: 'end', closing: 'close' },
        onSilence: null,
        forward: null,
        proxyProtocol: null,
        maxConnections: 0,
        lists: noLists,
      },
    ]));
  test('no monitoring', () => expect(config.monitoring).toEqual({ metrics: null, health: null }));
  test('a listeners section replaces the default listener', () =>
    expect(configOf('listeners: [{ name: a, address: ":1" }]').listeners.map(({ name }) => name)).toEqual([
      'a',
    ]));
});

describe('monitoring', () => {
  const rows = [
    { why: 'both by default', text: 'monitoring: {}', ports: [9091, 9092] },
    { why: 'one switched off', text: 'monitoring: { enable_metrics: false }', ports: [undefined, 9092] },
    { why: 'other ports', text: 'monitoring: { metrics_port: 1, health_check_port: 1 }', ports: [1, 1] },
  ];
  test.each(rows)('$why', ({ text, ports }) => {
    const { metrics, health } = configOf(text).monitoring;
    expect([metrics?.port, health?.port]).toEqual(ports);
  });

  test.each([
    { text: 'monitoring: {}', host: '::' },
    { text: 'monitoring: { address: 127.0.0.1 }', host: '127.0.0.1' },
    { text: 'monitoring: { address: localhost }', host: '127.0.0.1' },
    { text: 'monitoring: { address: "[::1]" }', host: '::1' },
  ])('$text is served on $host', ({ text, host }) => {
    const { metrics, health } = configOf(text).monitoring;
    expect([metrics?.host, health?.host]).toEqual([host, host]);
  });
});

describe('protocols', () => {
  const order = (text: string) => configOf(text).protocols.map(({ name }) => name);
  const rows = [
    {
      why: 'by priority, those without one last',
      text: `protocols:
  - { name: SSH, target: "a:1" }
  - { name: HTTP, target: "a:1", priority: 2 }
  - { name: Redis, target: "a:1", priority: 1 }`,
      is: ['Redis', 'HTTP', 'SSH'],
    },
    {
      why: 'equals by how specific they are, custom ones first',
      text: `protocols:
  - { name: HTTP, target: "a:1", priority: 1 }
  - { name: SSH, target: "a:1", priority: 1 }
  - { name: Mine, target: "a:1", priority: 1, start_bytes: [aabb] }`,
      is: ['Mine', 'SSH', 'HTTP'],
    },
    {
      why: 'then as listed',
      text: `protocols:
  - { name: B, target: "a:1", start_bytes: [aabb] }
  - { name: A, target: "a:1", start_bytes: [aacc] }`,
      is: ['B', 'A'],
    },
    {
      why: 'built-ins that routes and listeners name are accepted too',
      text: `protocols: [{ name: HTTP, target: "a:1" }]
listeners: [{ name: l, address: ":1", protocols: [ssh, HTTP] }]
routes: [{ when: { protocol: TLS }, to: close }]`,
      is: ['ssh', 'tls', 'HTTP'],
    },
    {
      why: 'a refinement before its parent, whatever the priorities',
      text: `protocols:
  - { name: HTTP, target: "a:1", priority: 1 }
  - { name: SSH, target: "a:1", priority: 2 }
  - { name: WebSocket, target: "a:1", priority: 3 }`,
      is: ['WebSocket', 'HTTP', 'SSH'],
    },
  ];
  test.each(rows)('$why', ({ text, is }) => expect(order(text)).toEqual(is));

  test('a custom protocol', () => {
    const text = `protocols:
  - name: CustomBinary
    target: "custom-backend:9000"
    priority: 7
    start_bytes: ["aa55"]
    offset: 0
    regex: ['^\\xAA\\x55']
    min_bytes: 4
    max_bytes: 1500`;
    expect(configOf(text).protocols).toEqual([
      {
        name: 'CustomBinary',
        id: 'custombinary',
        signature: {
          startBytes: ['aa55'],
          offset: 0,
          patterns: ['^\\xAA\\x55'],
          minBytes: 4,
          maxBytes: 1500,
        },
        transports: ['tcp'],
        validator: null,
        priority: 7,
        target: { kind: 'upstream', upstream: 'CustomBinary' },
      },
    ]);
  });

  test('bytes that a custom protocol contains, as far in as identification waits', () => {
    const text = `server: { identify_min_bytes: 64 }
protocols: [{ name: Mine, target: "a:1", contains: [aabb, cc] }]`;
    expect(configOf(text).protocols[0]?.signature).toEqual({ contains: ['aabb', 'cc'], containsWithin: 64 });
  });

  test('a validator settles what the signature matches, or any byte where there is none', () => {
    const text = `protocols:
  - { name: A, target: "a:1", start_bytes: [aa], validator: ./v.js }
  - { name: B, target: "a:1", validator: /opt/v.js, min_bytes: 4 }`;
    const { protocols } = configOf(text, { files: ['/etc/anyport/v.js', '/opt/v.js'] });
    expect(protocols.map(({ signature, validator }) => [signature, validator])).toEqual([
      [{ startBytes: ['aa'] }, 'file:///etc/anyport/v.js'],
      [{ patterns: ['^[^]'], minBytes: 4 }, 'file:///opt/v.js'],
    ]);
  });

  test('a built-in with a matcher key is custom', () => {
    const [http] = configOf('protocols: [{ name: HTTP, target: "a:1", start_bytes: ["474554"] }]').protocols;
    expect(http).toMatchObject({ id: 'http', signature: { startBytes: ['474554'] } });
  });
});

describe('upstreams', () => {
  test('a target with addresses makes one, named after the protocol', () => {
    const { upstreams, protocols } = configOf('protocols: [{ name: Redis, target: "r1:6379, [::1]:6380" }]');
    expect(protocols[0]?.target).toEqual({ kind: 'upstream', upstream: 'Redis' });
    expect(upstreams).toEqual([
      {
        name: 'Redis',
        handler: null,
        via: null,
        options: expect.objectContaining({ balance: 'round_robin', retries: 2 }),
        endpoints: [
          { name: 'r1:6379', address: { host: 'r1', port: 6379 }, weight: 1, backup: false },
          { name: '[::1]:6380', address: { host: '::1', port: 6380 }, weight: 1, backup: false },
        ],
      },
    ]);
  });

  test('all that an upstream may say', () => {
    const text = `upstreams:
  web:
    endpoints: ["10.0.0.5:80", { address: "web2:80", weight: 3, backup: true }, "unix:/run/w.sock"]
    balance: least_connections
    retries: 0
    dns: { refresh: 5s }`;
    expect(configOf(text).upstreams).toEqual([
      {
        name: 'web',
        handler: null,
        via: null,
        options: expect.objectContaining({
          balance: 'least_connections',
          retries: 0,
          dns: { refresh: 5_000, keep_last_good: true, family: 'any' },
        }),
        endpoints: [
          { name: '10.0.0.5:80', address: { host: '10.0.0.5', port: 80 }, weight: 1, backup: false },
          { name: 'web2:80', address: { host: 'web2', port: 80 }, weight: 3, backup: true },
          { name: 'unix:/run/w.sock', address: { path: '/run/w.sock' }, weight: 1, backup: false },
        ],
      },
    ]);
  });

  test('a handler is a file URL, relative to the file, or a built-in', () => {
    const text = 'protocols: [{ name: SSH, handler: ./h/s.js }, { name: TLS, handler: "builtin:echo" }]';
    const { upstreams } = configOf(text, { files: ['/etc/anyport/h/s.js'] });
    expect(upstreams.map(({ handler }) => handler)).toEqual(['file:///etc/anyport/h/s.js', 'builtin:echo']);
  });

  test.each(['reset', 'close', 'drop'])('%s is a target too', (closing) =>
    expect(configOf(`protocols: [{ name: SSH, target: ${closing} }]`).protocols[0]?.target).toEqual({
      kind: 'end',
      closing,
    }),
  );
});

describe('listeners', () => {
  test('a listener for each address and port', () => {
    const text = `server: { listen: ["127.0.0.1:80", "9000-9001", 7, "unix:/run/a.sock"] }
listeners: [{ name: front, address: "[::1]:443-444" }]`;
    expect(configOf(text).listeners.map(({ name, address }) => `${name} ${address.text}`)).toEqual([
      '127.0.0.1:80 127.0.0.1:80',
      ':9000 :9000',
      ':9001 :9001',
      ':7 :7',
      'unix:/run/a.sock unix:/run/a.sock',
      'front:443 [::1]:443',
      'front:444 [::1]:444',
    ]);
  });

  test('[::] takes IPv4 too, unless the port has an IPv4 listener', () => {
    const only = (text: string) =>
      configOf(text).listeners.map(({ address }) => address.kind === 'inet' && address.ipv6Only === true);
    expect(only('server: { listen: ["[::]:1", "0.0.0.0:2", ":3"] }')).toEqual([false, false, false]);
    expect(only('server: { listen: ["[::]:1", "0.0.0.0:1"] }')).toEqual([true, false]);
    expect(only('server: { listen: ["10.0.0.1:1", "[::]:1"] }')).toEqual([false, true]);
  });

  test.each(['0640', '0o640', '640', '"0640"', '"640"'])('mode: %s is octal', (mode) => {
    const [listener] = configOf(`listeners: [{ name: a, address: "unix:/a", mode: ${mode} }]`).listeners;
    expect(listener?.address).toMatchObject({ mode: 0o640 });
  });

  test('its policy', () => {
    const text = `protocols: [{ name: HTTP, target: "a:1" }, { name: SSH, target: "a:1", priority: 1 }, { name: TLS, target: "a:1" }]
upstreams: { mail: { endpoints: ["m:25"] } }
listeners:
  - { name: a, address: ":1", protocols: [http, ssh], on_unknown: reset, on_silence: { after: 1s, to: mail } }`;
    expect(configOf(text).listeners[0]).toMatchObject({
      protocols: ['SSH', 'HTTP'],
      onUnknown: { kind: 'end', closing: 'reset' },
      onSilence: { afterMs: 1_000, to: { kind: 'upstream', upstream: 'mail' } },
      proxyProtocol: null,
      maxConnections: 0,
    });
  });
});

test('a route for a listener with a port range is for each of its ports', () => {
  const text = `listeners: [{ name: a, address: "1-2" }]
routes: [{ when: { listener: a, protocol: TLS, sni: "*.x.org" }, to: drop }]`;
  const to = { kind: 'end', closing: 'drop' };
  expect(configOf(text).routes).toEqual([
    { name: 'routes[0]', when: { sni: '*.x.org', protocol: 'tls', listener: ['a:1', 'a:2'] }, to },
  ]);
});

describe('conditions that hold for some sessions', () => {
  const proxied =
    'listeners: [{ name: a, address: ":1", proxy_protocol: { accept: true, trusted: ["10.0.0.0/8"] } }]';
  test.each([
    {
      why: 'a host of HTTP/2 in the clear',
      text: 'routes: [{ when: { protocol: http2, host: a.b }, to: close }]',
    },
    { why: 'a host of any protocol', text: 'routes: [{ when: { host: a.b }, to: close }]' },
    {
      why: 'the name is in the PROXY header',
      text: `${proxied}\nroutes: [{ when: { protocol: http, sni: a.b, host: a.b }, to: close }]`,
    },
    {
      why: 'a custom protocol with the facts of the built-in that it is named after',
      text: `protocols: [{ name: TLS, start_bytes: ['16'] }]
routes: [{ when: { protocol: tls, sni: a.b }, to: close }]`,
    },
  ])('$why', ({ text }) => expect(configOf(text).routes).toHaveLength(1));
});

describe('lists of networks', () => {
  const files = ['/etc/anyport/deny.txt', '/var/lib/allow.txt'];

  test('their files are found from the folder of the configuration, each with its place', () => {
    const text = `security: { ip_blacklist: ["10.0.0.0/8"], ip_blacklist_files: [deny.txt] }
listeners: [{ name: a, address: ":1-2", allow_only_files: [/var/lib/allow.txt, "./deny.txt"] }]`;
    const { security, listeners } = configOf(text, { files });
    const deny = { path: '/etc/anyport/deny.txt', at: 'security.ip_blacklist_files[0]' };
    expect(security.lists).toEqual({ ...noLists, denied: { networks: ['10.0.0.0/8'], files: [deny] } });
    const allowed = {
      networks: [],
      files: [
        { path: '/var/lib/allow.txt', at: 'listeners[0].allow_only_files[0]' },
        { path: '/etc/anyport/deny.txt', at: 'listeners[0].allow_only_files[1]' },
      ],
    };
    expect(listeners.map(({ lists }) => lists)).toEqual([
      { ...noLists, allowed },
      { ...noLists, allowed },
    ]);
  });

  test('a file that is not there is a problem at its place', () =>
    expect(problemsOf('security: { ip_blacklist_files: [deny.txt, gone.txt] }', { files })).toEqual([
      'any.yaml:1:44: security.ip_blacklist_files[1]: no such file: /etc/anyport/gone.txt',
    ]));

  test('of a unix socket there are none, unless a proxy says who comes', () => {
    const at = (keys: string) => `listeners: [{ name: a, address: "unix:/run/a.sock", ${keys} }]`;
    expect(problemsOf(at('ip_blacklist: ["10.0.0.0/8"], allow_only_files: [deny.txt]'), { files })).toEqual([
      expect.stringContaining('listeners[0].ip_blacklist: has no effect: the clients of a unix socket'),
      expect.stringContaining('listeners[0].allow_only_files: has no effect: the clients of a unix socket'),
    ]);
    const proxied = 'proxy_protocol: { accept: true, trusted: [unix] }, ip_blacklist: ["10.0.0.0/8"]';
    expect(problemsOf(at(proxied))).toEqual([]);
  });
});
