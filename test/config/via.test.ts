/** `upstreams.NAME.via`: what it becomes, what is refused beside it, and that nobody is shown its password. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { compile } from '../../src/config/compile.js';
import { diffConfigs } from '../../src/config/diff/index.js';
import { loadConfig } from '../../src/config/load.js';
import { loopsOf } from '../../src/config/own-listeners.js';
import type { Discovery } from '../../src/model/config.js';
import { IdRegistry } from '../../src/plane/ids.js';
import { wishesOf } from '../../src/providers/dns.js';
import { tempFolder } from '../support/temp.js';
import { configOf, problemsOf, type World, warningsOf } from './support.js';

const upstream = (keys: string, endpoints = '["db.home:5432"]') =>
  `protocols: [{ name: SSH, target: web }]\nupstreams: { web: { endpoints: ${endpoints}, ${keys} } }`;
const viaOf = (written: string, world?: World) =>
  configOf(upstream(`via: ${written}`), world).upstreams[0]?.via;

const proxy = { scheme: 'http', host: 'proxy.example', port: 3128, user: null, password: null };

describe('what it becomes', () => {
  test('one proxy', () => {
    expect(viaOf('"http://al:p%40ss@proxy.example:3128"')).toEqual({
      hops: [{ ...proxy, user: 'al', password: 'p@ss' }],
      tls: null,
    });
    expect(configOf(upstream('retries: 1')).upstreams[0]?.via).toBeNull();
  });

  test('several, in their order', () => {
    const via = viaOf('["http://proxy.example:3128", { url: "socks5h://10.0.0.1" }]');
    expect(via?.hops).toEqual([proxy, { ...proxy, scheme: 'socks5', host: '10.0.0.1', port: 1080 }]);
  });

  test('in TLS, by the name of its host or another one', () => {
    expect(viaOf('"https://proxy.example:3129"')?.tls).toEqual({ serverName: 'proxy.example', ca: null });
    expect(viaOf('{ url: "https://10.0.0.1:3129", server_name: other.example }')?.tls?.serverName).toBe(
      'other.example',
    );
  });

  test('the authorities of a file', () => {
    const [pem = ''] = rootCertificates;
    const keys = { '/etc/anyport/ca.pem': { text: `a comment\n${pem}\n`, isShared: true } };
    expect(viaOf('{ url: "https://proxy.example:3129", ca: ca.pem }', { keys })?.tls?.ca).toContain(pem);
  });

  test('in a protocol and in a forward', () => {
    const text = `protocols: [{ name: SSH, target: { endpoints: ["a:22"], via: "socks5://p" } }]
forwards: [{ listen: "7000", target: { endpoints: ["b:22"], via: "http://p:1" } }]`;
    expect(configOf(text).upstreams.map(({ via }) => via?.hops[0]?.scheme)).toEqual(['socks5', 'http']);
  });
});

describe('what is dialled is the first proxy', () => {
  const config = configOf(
    upstream(
      'via: ["http://proxy.example:3128", "socks5://second.example"]',
      '["db.home:5432", "10.0.0.1:1"]',
    ),
  );
  const hosts = new Map([['proxy.example', { value: ['192.0.2.7', '192.0.2.8'], failing: false }]]);
  const discovery: Discovery = { hosts, services: new Map() };

  test('its name alone is looked up', () =>
    expect([...wishesOf(config.upstreams).hosts.keys()]).toEqual(['proxy.example']));

  test('endpoints keep their names, and have its addresses', () => {
    const plan = compile(config, discovery, 1, new IdRegistry());
    const addresses = [
      { host: '192.0.2.7', port: 3128 },
      { host: '192.0.2.8', port: 3128 },
    ];
    expect(plan.upstreams[0]?.endpoints).toMatchObject([
      { name: 'db.home:5432', addresses },
      { name: '10.0.0.1:1', addresses },
    ]);
    expect(plan.upstreams[0]?.via?.hops).toHaveLength(2);
  });

  test('a proxy that is our own listener is a loop; an endpoint behind one is its own matter', () => {
    const listen = 'server: { listen: "127.0.0.1:9090" }\n';
    expect(warningsOf(listen + upstream('via: "http://localhost:9090"')).join()).toContain(
      'upstreams.web.via: `http://localhost:9090` is our own listener',
    );
    expect(warningsOf(listen + upstream('via: "http://p:1"', '["127.0.0.1:9090"]'))).toEqual([]);
    const named = configOf(`server: { listen: ":3128" }\n${upstream('via: "http://proxy.example:3128"')}`);
    expect(loopsOf(named, { ...discovery, machine: ['192.0.2.8'] })).toMatchObject([
      { address: '192.0.2.8' },
    ]);
  });
});

describe('refused', () => {
  const pem = rootCertificates[0] ?? '';
  const keys = {
    '/etc/anyport/none.pem': { text: 'nothing', isShared: true },
    '/etc/anyport/cut.pem': {
      text: `${pem}\n${pem.slice(0, 200)}\n-----END CERTIFICATE-----\n`,
      isShared: true,
    },
  };
  test.each([
    ['via: "proxy:3128"', 'via: expected the URL of a proxy such as'],
    [
      'via: "http://proxy"',
      'via: expected the URL of a proxy such as `http://user:password@proxy:3128` or `socks5://proxy`: the port is missing',
    ],
    ['via: 7', 'via: expected the URL of a proxy such as'],
    ['via: { url: "http://proxy" }', 'via.url: expected the URL of a proxy'],
    ['via: ["http://p:1", "http://proxy"]', 'via[1]: expected the URL of a proxy'],
    ['via: { url: "http://p:1", urk: 1 }', 'via.urk: unknown key `urk`'],
    ['via: []', 'via: names 0 proxies: write 1 to 8 of them, or leave it out'],
    [`via: [${'"socks5://p",'.repeat(9)}]`, 'via: names 9 proxies'],
    ['via: ["http://p:1", "https://q:1"]', 'via[1]: only the first proxy of a way may be `https://`'],
    ['via: { url: "http://p:1", ca: x.pem }', 'via.ca: is for `https://`'],
    ['via: [{ url: "socks5://p", server_name: x }]', 'via.server_name: is for `https://`'],
    ['via: { url: "https://p:1", server_name: "a b" }', 'via.server_name: expected a name such as'],
    ['via: { url: "https://p:1", ca: lost.pem }', 'via.ca: no such file: /etc/anyport/lost.pem'],
    ['via: { url: "https://p:1", ca: none.pem }', 'via.ca: has no certificate'],
    [
      'via: { url: "https://p:1", ca: cut.pem }',
      'via.ca: its certificate 2 can not be read: /etc/anyport/cut.pem',
    ],
    ['via: ["socks4a://p", "http://[::1]:1"]', 'via[1]: has an IPv6 address, which SOCKS4'],
    ['via: "http://p:1", source: { transparent: true }', 'source.transparent: does not go with `via`'],
    [
      'via: "http://p:1", health_check: { type: dns, name: a.example }',
      'health_check.type: asks by datagrams',
    ],
    [
      'via: "http://p:1", health_check: { type: exec, command: /bin/true }',
      'health_check.type: asks by itself',
    ],
    ['via: "http://127.0.0.1:1", source: { address: "2001:db8::9" }', 'via: `http://127.0.0.1:1` is IPv4'],
  ])('%s', (written, says) => {
    expect(problemsOf(upstream(written), { keys })).toEqual([
      expect.stringContaining(`upstreams.web.${says}`),
    ]);
  });

  test.each([
    ['["unix:/run/a.sock"]', 'via: "http://p:1"', 'endpoints[0]: `unix:/run/a.sock` is on this machine'],
    ['["srv:_a._tcp.example"]', 'via: "http://p:1"', 'endpoints[0]: `srv:_a._tcp.example` stands for names'],
    ['["a:1", "[::1]:80"]', 'via: "socks4a://p"', 'endpoints[1]: `[::1]:80` is IPv6'],
    ['["a:1"]', 'via: "http://p:1", over: kcp, kcp: link', 'via: leads through connections'],
  ])('endpoints %s with %s', (endpoints, written, says) => {
    const kcp = 'kcp: { link: { secret: correct-horse-battery } }\n';
    expect(problemsOf((written.includes('kcp') ? kcp : '') + upstream(written, endpoints))).toEqual([
      expect.stringContaining(`upstreams.web.${says}`),
    ]);
  });

  test('beside a handler', () => {
    const text =
      'upstreams: { web: { handler: "builtin:echo", via: "http://p:1" } }\nprotocols: [{ name: SSH, target: web }]';
    expect(problemsOf(text)).toEqual([
      expect.stringContaining('upstreams.web.via: has no effect: a handler'),
    ]);
  });

  test('where datagrams come', () => {
    const text =
      'forwards: [{ listen: "7000", scheme: udp, target: { endpoints: ["b:53"], via: "http://p:1" } }]';
    expect(problemsOf(text)).toEqual([expect.stringContaining('a proxy passes streams on alone')]);
  });
});

test('no message has the password, however the URL is wrong', () => {
  for (const url of [
    'http://al:s3cr/et@p:1',
    'http://al:s3cret@p',
    'ftp://al:s3cret@p:1',
    'al:s3cret@p:1',
    'http://al:s3cret@@p:1',
  ])
    for (const written of [
      `via: "${url}"`,
      `via: ["${url}"]`,
      `via: { url: "${url}" }`,
      `via: [{ url: "${url}", ca: 7 }]`,
    ])
      expect(problemsOf(upstream(written)).join()).not.toContain('s3cr');
});

test('a difference says that the way is another one, without the password', () => {
  const configs = [
    '"http://al:s3cret@p:1"',
    '"http://al:s3cret\'%2F2@p:1"',
    '["http://al:s3cret@p:1", "socks5://al:s3cret@q"]',
  ].map((via) => configOf(upstream(`via: ${via}`)));
  for (const [from, to] of [
    [0, 1],
    [1, 2],
    [2, 0],
  ] as const) {
    const diff = diffConfigs(configs[from] as never, configs[to] as never);
    expect(JSON.stringify(diff)).toContain('"key":"via"');
    expect(JSON.stringify(diff)).not.toContain('s3cret');
  }
});

test('the file of the authorities is watched, and read with the configuration', () => {
  const folder = tempFolder();
  try {
    const [pem, file] = [join(folder.path, 'ca.pem'), join(folder.path, 'anyport.yaml')];
    writeFileSync(pem, rootCertificates[0] ?? '');
    writeFileSync(file, upstream('via: { url: "https://p:1", ca: ca.pem }'));
    const loaded = loadConfig({ file, flags: {}, environment: {} });
    expect(loaded.files).toContain(pem);
    expect(loaded.ok && loaded.config.upstreams[0]?.via?.tls?.ca).toBe(rootCertificates[0]);
  } finally {
    folder.remove();
  }
});
