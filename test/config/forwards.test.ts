/** `forwards`: what they become, and everything that can be wrong with one. */
import { describe, expect, test } from 'vitest';
import { compile } from '../../src/config/compile.js';
import { diffConfigs } from '../../src/config/diff/index.js';
import { NOTHING_DISCOVERED } from '../../src/model/config.js';
import { IdRegistry } from '../../src/plane/ids.js';
import { configOf, problemsOf, warningsOf } from './support.js';

const forwards = (...each: string[]) => `forwards:\n${each.map((text) => `  - { ${text} }\n`).join('')}`;

/** Listener, upstream, endpoints. */
function rowsOf(text: string): string[] {
  const { listeners, upstreams } = configOf(text);
  return listeners.map(({ name, forward }) => {
    const upstream = upstreams.find((each) => each.name === forward?.upstream);
    return `${name} > ${upstream?.name}: ${upstream?.endpoints.map((endpoint) => endpoint.name).join(' ')}`;
  });
}

describe('what one becomes', () => {
  const rows: { why: string; text: string; rows: string[] }[] = [
    {
      why: 'a port without a name is called as it is written',
      text: 'listen: 3478, target: "10.0.0.7:1"',
      rows: [':3478 > :3478: 10.0.0.7:1'],
    },
    {
      why: 'a name is that of listener and upstream',
      text: 'name: turn, listen: "127.0.0.1:3478", target: "10.0.0.7:1, b.example:2"',
      rows: ['turn > turn: 10.0.0.7:1 b.example:2'],
    },
    {
      why: 'a host without a port keeps it',
      text: 'listen: 3478, target: "10.0.0.7"',
      rows: [':3478 > :3478: 10.0.0.7:3478'],
    },
    {
      why: 'on a range, each its own',
      text: 'name: rtp, listen: "[::]:10000-10001", target: ["[::9]", b]',
      rows: ['rtp:10000 > rtp:10000: [::9]:10000 b:10000', 'rtp:10001 > rtp:10001: [::9]:10001 b:10001'],
    },
    {
      why: 'a range onto another',
      text: 'listen: "10000-10001", target: { endpoints: [{ address: "a:7-8", weight: 2 }] }',
      rows: [':10000 > :10000: a:7', ':10001 > :10001: a:8'],
    },
    {
      why: 'a range to an upstream',
      text: 'listen: "10000-10001", target: web',
      rows: [':10000 > web: w:80', ':10001 > web: w:80'],
    },
    {
      why: 'unix sockets',
      text: 'listen: "unix:/run/a", target: "unix:@b", mode: 0600',
      rows: ['unix:/run/a > unix:/run/a: unix:@b'],
    },
    {
      why: 'the name of a service',
      text: 'listen: 1, target: "srv:_a._tcp.example"',
      rows: [':1 > :1: srv:_a._tcp.example'],
    },
    {
      why: 'the upstream whose name looks like an address',
      text: 'listen: 1, target: "a.b"',
      rows: [':1 > a.b: v:80'],
    },
  ];
  const upstreams = 'upstreams: { web: { endpoints: ["w:80"] }, "a.b": { endpoints: ["v:80"] } }';
  test.each(rows)('$why', ({ text, rows: expected }) =>
    expect(rowsOf(`${upstreams}\n${forwards(text)}`)).toEqual(expected),
  );

  test('nothing is accepted there, and nothing else listens', () =>
    expect(configOf(forwards('listen: 1, target: "a:1"')).listeners).toMatchObject([
      { protocols: [], forward: { at: 'forwards[0]', upstream: ':1' }, transport: 'tcp' },
    ]));

  test('without one the default listener is there', () =>
    expect(configOf('forwards: []\nprotocols: [{ name: SSH, target: "a:1" }]').listeners).toMatchObject([
      { name: ':9090' },
    ]));

  test('its options are those of listeners and of upstreams', () => {
    const { listeners, upstreams: own } = configOf(
      forwards(
        'listen: "1-2", allow_only: ["10.0.0.0/8"], max_connections: 7, proxy_protocol: { accept: true, trusted: ["10.0.0.1"] }, target: { endpoints: [a], balance: random_two, proxy_protocol: v2 }',
      ),
    );
    expect(listeners.map(({ maxConnections, proxyProtocol }) => [maxConnections, proxyProtocol])).toEqual([
      [7, { trusted: ['10.0.0.1'] }],
      [7, { trusted: ['10.0.0.1'] }],
    ]);
    expect(listeners[1]?.lists.allowed.networks).toEqual(['10.0.0.0/8']);
    expect(own.map(({ options }) => [options.balance, options.proxy_protocol.version])).toEqual([
      ['random_two', 'v2'],
      ['random_two', 'v2'],
    ]);
  });

  test('others may share its upstream', () => {
    const text = `${forwards('name: turn, listen: 1, target: "a:1"')}listeners: [{ name: x, address: ":2" }]
protocols: [{ name: STUN, target: turn }]`;
    expect(configOf(text).upstreams.map(({ name }) => name)).toEqual(['turn']);
    expect(warningsOf(text).join()).not.toContain('turn');
  });

  test('its route comes first, one for all ports with the same upstream', () => {
    const config = configOf(
      `${forwards('listen: "1-2", target: web', 'listen: "3-4", target: a.example')}${upstreams}
listeners: [{ name: x, address: ":9" }]\nroutes: [{ to: reset }]`,
    );
    const { listeners, routes } = compile(config, NOTHING_DISCOVERED, 1, new IdRegistry());
    const at = (name: string) => listeners.findIndex((listener) => listener.name === name);
    expect(routes.map(({ name, when }) => [name, when.listener])).toEqual([
      ['forwards[0]', [at(':1'), at(':2')]],
      ['forwards[1]', at(':3')],
      ['forwards[1]', at(':4')],
      ['routes[0]', undefined],
    ]);
  });

  test('a change of its target is one of its endpoints', () => {
    const at = (target: string) => configOf(forwards(`name: turn, listen: 1, target: "${target}"`));
    expect(diffConfigs(at('a:1'), at('b:1')).map(({ kind, name, change }) => [kind, name, change])).toEqual([
      ['endpoint', 'b:1', 'added'],
      ['endpoint', 'a:1', 'removed'],
    ]);
    const [item] = diffConfigs(
      at('a:1'),
      configOf(`${forwards('name: turn, listen: 1, target: o')}upstreams: { o: { endpoints: ["a:1"] } }`),
    );
    expect(item).toMatchObject({
      kind: 'listener',
      name: 'turn',
      fields: [{ key: 'forwards_to', from: 'turn', to: 'o' }],
    });
  });

  test('nothing is warned of', () => {
    expect(warningsOf(forwards('listen: "1-3", target: a.example'))).toEqual([]);
    expect(
      warningsOf(forwards('listen: 1, target: { endpoints: ["a:1", { address: "b:1", weight: 2 }] }')),
    ).toEqual([expect.stringContaining('forwards[0].target.endpoints[1].weight: has no effect with')]);
  });
});

describe('wrong', () => {
  const taken = `monitoring: { metrics_port: 9091, enable_health_check: false }
admin: { listen: "127.0.0.1:9093" }
listeners: [{ name: main, address: ":443" }, { name: "rtp:5", address: ":444" }]
protocols: [{ name: SSH, target: "h:22" }]
upstreams:
  web: { endpoints: ["w:80"] }
  named: { endpoints: ["w:80"], affinity: sni }
  told: { endpoints: ["w:80"], proxy_protocol: { version: v2, tlvs: [alpn] } }
  round: { endpoints: ["localhost:9"] }`;
  const rows: { text: string; says: string }[] = [
    {
      text: 'listen: "10-13", target: "a:3478"',
      says: 'forwards[0].target: `a:3478` has one port for the 4 of `:10-13`: write `a`, which keeps the port, or `a:3478-3481`; to send all of them there, name an upstream',
    },
    {
      text: 'listen: "10-13", target: "a:1-9"',
      says: 'forwards[0].target: `a:1-9` has 9 ports for the 4 of `:10-13`: write `a`, which keeps the port, or `a:1-4`',
    },
    { text: 'listen: "10-13", target: "a:65534"', says: 'or a range of 4' },
    { text: 'listen: 7, target: "a:1-9"', says: '`a:1-9` has 9 ports for the one of `:7`' },
    {
      text: 'listen: "7-8", target: ["a", "b:1"]',
      says: 'forwards[0].target[1]: `b:1` has one port for the 2',
    },
    {
      text: 'listen: "7-8", target: { endpoints: ["b:1"] }',
      says: 'forwards[0].target.endpoints[0]: `b:1` has one port for the 2',
    },
    {
      text: 'listen: "7-8", target: "unix:/a"',
      says: '`unix:/a` is one place for the 2 of `:7-8`: to send all',
    },
    {
      text: 'listen: "unix:/x", target: "10.0.0.1"',
      says: '`unix:/x` has no port to keep: write `10.0.0.1:PORT`',
    },
    { text: 'listen: 0, target: "10.0.0.1"', says: '`:0` has no port to keep: write `10.0.0.1:PORT`' },
    {
      text: 'listen: 7, target: wob',
      says: 'forwards[0].target: unknown upstream `wob`: did you mean `web`?',
    },
    {
      text: 'listen: 7, target: reset',
      says: 'forwards[0].target: `reset` ends sessions, and a forward passes them on',
    },
    { text: 'listen: 7, target: "8"', says: '`8` is a port without a host: write `127.0.0.1:8`' },
    { text: 'listen: 7, target: "fd00::1"', says: 'write it in brackets: `[fd00::1]`' },
    { text: 'listen: 7, target: "a:9-8"', says: 'ports are 1 to 65535, the lower one first' },
    { text: 'listen: 7, target: "a:x"', says: 'forwards[0].target: expected an address such as' },
    { text: 'listen: 7, target: ["a:x"]', says: 'forwards[0].target[0]: expected an address such as' },
    { text: 'listen: 7, target: []', says: 'forwards[0].target: expected `host:port`' },
    { text: 'listen: 7', says: 'forwards[0].target: missing: expected `host:port`' },
    { text: 'target: "a:1"', says: 'forwards[0].listen: missing: expected an address' },
    { text: 'listen: "a.example:7", target: "a:1"', says: 'write an address of this machine, not a name' },
    {
      text: 'listen: 7, target: { balance: random_two }',
      says: 'forwards[0].target: needs either `endpoints`',
    },
    { text: 'listen: 7, target: "a:1,a:1"', says: 'forwards[0].target: endpoint `a:1` is listed twice' },
    {
      text: 'listen: 7, target: "a:1", balance: x',
      says: 'forwards[0].balance: is said of the target: write `target: {',
    },
    { text: 'listen: 7, target: "a:1", protocol: udp', says: 'forwards[0].protocol: unknown key' },
    { text: 'listen: 7, target: "a:1", scheme: sctp', says: 'forwards[0].scheme: unknown value `sctp`' },
    {
      text: 'listen: 7, target: "unix:/a", scheme: tcp+udp',
      says: 'forwards[0].target: `unix:/a` takes no datagrams: write `scheme: tcp`',
    },
    {
      text: 'listen: "unix:/a", target: "a:1", scheme: udp',
      says: 'forwards[0].scheme: `unix:/a` takes no datagrams: write `scheme: tcp`',
    },
    {
      text: 'listen: 7, target: "a:1", scheme: udp, max_connections: 9',
      says: 'forwards[0].max_connections: has no effect: there are no connections here',
    },
    {
      text: 'listen: 7, scheme: udp, target: { endpoints: ["a:1"], proxy_protocol: v1 }',
      says: 'forwards[0].target.proxy_protocol: version 1 is for connections alone',
    },
    { text: 'listen: 7, target: "127.0.0.1:7", scheme: udp', says: '`127.0.0.1:7` is this forward itself' },
    { text: 'listen: 7, target: "a:1", mode: 0600', says: "forwards[0].mode: is for a unix socket's file" },
    {
      text: 'listen: 7, target: { endpoints: ["a:1"], via: "http://p" }',
      says: 'forwards[0].target.via: expected the URL of a proxy',
    },
    {
      text: 'listen: 7, target: "a:1", proxy_protocol: { accept: true }',
      says: 'forwards[0].proxy_protocol: accepts headers from nobody',
    },
    {
      text: 'listen: 7, target: named',
      says: '`named` knows them by sni: let its `hash_key` and `affinity` be `source`',
    },
    {
      text: 'listen: 7, target: told',
      says: '`told` is told of it: leave that out of `proxy_protocol.tlvs`',
    },
    { text: 'listen: 443, target: "a:1"', says: 'forwards[0]: `:443` is taken already, by listeners[0]' },
    {
      text: 'listen: 9091, target: "a:1"',
      says: 'forwards[0].listen: 9091 is monitoring.metrics_port: take another one',
    },
    {
      text: 'listen: 9093, target: "a:1"',
      says: 'admin.listen: `127.0.0.1:9093` is taken already, by forwards[0]',
    },
    {
      text: 'name: main, listen: 7, target: "a:1"',
      says: 'forwards[0].name: forward `main` is listed twice, first by listeners[0]',
    },
    {
      text: 'name: rtp, listen: "4-5", target: a.example',
      says: 'forward `rtp:5` is listed twice, first by listeners[1]',
    },
    {
      text: 'name: web, listen: 7, target: "a:1"',
      says: 'forwards[0].name: makes an upstream `web`, which upstreams.web has made',
    },
    {
      text: 'name: SSH, listen: 7, target: "a:1"',
      says: 'makes an upstream `SSH`, which protocols[0] has made: name it otherwise',
    },
    { text: 'name: "a b", listen: 7, target: "a:1"', says: '`a b` can not name an upstream' },
    {
      text: 'listen: 7, target: "127.0.0.1:7"',
      says: '`127.0.0.1:7` is this forward itself: sessions would go round',
    },
    { text: 'listen: 7, target: gateway', says: 'unknown upstream `gateway`' },
    { text: 'listen: 7, target: "gateway:7"', says: 'is this forward itself' },
    { text: 'listen: "unix:/x", target: "unix:/x"', says: '`unix:/x` is this forward itself' },
    { text: 'listen: 9, target: round', says: '`localhost:9` is this forward itself' },
    {
      text: 'listen: "1001-3000", target: "a.example"',
      says: 'forwards: 2002 addresses to listen on are too many',
    },
  ];
  test.each(rows)('$text', ({ text, says }) => {
    const problems = problemsOf(`${taken}\n${forwards(text)}`);
    expect(problems).toEqual([expect.stringContaining(says)]);
    expect(problems[0]).toMatch(/^any\.yaml:\d+:\d+: /);
  });

  test('two that lead to each other', () =>
    expect(
      problemsOf(forwards('listen: 1, target: "127.0.0.1:2"', 'listen: 2, target: "localhost:1"')),
    ).toEqual([
      expect.stringContaining('forwards[0].target: leads back here, by forward `:2` (`localhost:1`)'),
      expect.stringContaining('forwards[1].target: leads back here, by forward `:1` (`127.0.0.1:2`)'),
    ]));

  test('one for connections and one for datagrams are no two', () => {
    const text = forwards(
      'listen: 7, target: "127.0.0.1:8"',
      'listen: 7, scheme: udp, target: a.example',
      'listen: 8, scheme: udp, target: "127.0.0.1:7"',
    );
    expect(configOf(text).listeners.map(({ name, transport }) => [name, transport])).toEqual([
      [':7', 'tcp'],
      [':7/udp', 'udp'],
      [':8/udp', 'udp'],
    ]);
    expect(problemsOf(text.replace('target: a.example', 'target: "localhost:8"'))).toHaveLength(2);
  });

  test('two with one address, or with one name', () =>
    expect(
      problemsOf(
        forwards(
          'listen: 1, target: "a:1"',
          'listen: "0.0.0.0:1", target: "a:1"',
          'name: ":1", listen: 2, target: "a:1"',
        ),
      ),
    ).toEqual([
      expect.stringContaining(
        'forwards[1]: `:1` takes the clients of `0.0.0.0:1` too (the other is listed by forwards[0])',
      ),
      expect.stringContaining('forwards[2].name: `:1` can not name an upstream'),
      expect.stringContaining('forwards[2].name: forward `:1` is listed twice, first by forwards[0]'),
    ]));

  test('a route that names it', () =>
    expect(
      problemsOf(
        `${forwards('name: turn, listen: 1, target: "a:1"')}routes: [{ when: { listener: turn }, to: reset }]`,
      ),
    ).toEqual([
      expect.stringContaining('routes[0].when.listener: `turn` is a forward, whose sessions take no routes'),
    ]));

  test('the flag is named', () =>
    expect(
      problemsOf('', {
        flags: {
          forward: [
            { listen: '7', scheme: 'sctp', target: 'a:1' },
            { listen: 'x', target: 'a:1' },
          ],
        },
      }),
    ).toEqual([
      expect.stringMatching(/^--forward 7\/sctp scheme: unknown value `sctp`/),
      expect.stringMatching(/^--forward x listen: expected an address/),
    ]));
});
