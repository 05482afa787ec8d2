/** `connect_proxy`: what becomes of it, and what is said of it. */
import { describe, expect, test } from 'vitest';
import { compile } from '../../src/config/compile.js';
import { diffConfigs } from '../../src/config/diff/index.js';
import { loadConfig } from '../../src/config/load.js';
import { parseDestinations } from '../../src/config/schema/destinations.js';
import { hashText } from '../../src/forward-proxy/users/phc.js';
import { NOTHING_DISCOVERED } from '../../src/model/config.js';
import type { PlanRoute } from '../../src/model/plan.js';
import { IdRegistry } from '../../src/plane/ids.js';
import { configOf, problemsOf, type World, warningsOf } from './support.js';

const hashWith = (byte: number, ln = 15): string =>
  hashText({ ln, r: 8, p: 1, salt: Buffer.alloc(16, byte), hash: Buffer.alloc(32, byte) });
const [A, B] = [hashWith(1), hashWith(2)];

const file = (text: string, isShared = false) => ({ text, isShared });
const world: World = {
  userFiles: {
    '/etc/anyport/users': file(`# team\nbob:${B}\ncarol:${A}\n`),
    '/etc/anyport/shared': file(`bob:${B}\n`, true),
    '/etc/anyport/empty': file('# nobody yet\n'),
    '/etc/anyport/wrong': file(`bob:${B}\nhunter2\ndave:hunter3\nbob:${A}\n`),
    '/etc/anyport/many': file('x\n'.repeat(50)),
    '/etc/anyport/alice': file(`alice:${B}\n`),
  },
};

const base = `protocols: [{ name: HTTP, target: web }, { name: SSH, target: "10.0.0.9:22" }]
listeners:
  - { name: front, address: "127.0.0.1:443" }
  - { name: back, address: "127.0.0.1:8443", transport: tcp+udp, on_unknown: web }
  - { name: mail, address: "127.0.0.1:25", protocols: [ssh] }
  - { name: datagrams, address: "127.0.0.1:53", transport: udp, on_unknown: web }
forwards: [{ name: turn, listen: 3478, target: "10.0.0.7:3478" }]
upstreams: { web: { endpoints: ["10.0.0.5:80"] } }
`;
const inNetwork = 'allow_from: ["10.0.0.0/8"]';
const withProxy = (keys: string, rest = base): string => `${rest}connect_proxy: { ${keys} }`;
const proxyOf = (keys: string) => configOf(withProxy(keys), world).connectProxy;
const planOf = (keys: string, rest = base) =>
  compile(configOf(withProxy(keys, rest), world), NOTHING_DISCOVERED, 1, new IdRegistry());
/** Without the file and the position. */
const complaintsOf = (keys: string, rest = base) =>
  problemsOf(withProxy(keys, rest), world).map((line) => line.replace(/^[^ ]* /, ''));
const warnings = (keys: string, rest = base) =>
  warningsOf(withProxy(keys, rest), world).filter((line) => line.startsWith('connect_proxy'));

describe('what becomes of it', () => {
  test('nothing without the section', () => expect(configOf(base).connectProxy).toBeNull());

  test('defaults: every public address, on port 443, on listeners of connections that accept HTTP', () =>
    expect(proxyOf(inNetwork)).toMatchObject({
      listeners: ['front', 'back'],
      allow: [],
      deny: [],
      ports: [{ first: 443, last: 443 }],
      allowFrom: ['10.0.0.0/8'],
      users: null,
      usersFile: null,
      socks: false,
      udp: false,
      logUsers: false,
      resolveTimeoutMs: 5000,
    }));

  test('users of the section and of its file, with limits of their own or those of all', () => {
    const keys = `users: { alice: "${A}", eve: { hash: "${B}", max_connections: 2, bandwidth: { up: 1KiB } } },
      users_file: users, user_limits: { max_connections: 10, bandwidth: { down: 1MiB } }`;
    const ofAll = { maxConnections: 10, bandwidth: { up: 0, down: 2 ** 20 } };
    expect(proxyOf(keys)).toMatchObject({
      users: [
        { name: 'alice', hash: A, ...ofAll },
        { name: 'eve', hash: B, maxConnections: 2, bandwidth: { up: 1024, down: 0 } },
        { name: 'bob', hash: B, ...ofAll },
        { name: 'carol', hash: A, ...ofAll },
      ],
      usersFile: '/etc/anyport/users',
    });
  });

  test('a listener of a port range is each of its ports; one of `server.listen` is called by its address', () => {
    const rest = 'server: { listen: ":1" }\nlisteners: [{ name: many, address: ":7000-7001" }]\n';
    const listeners = (keys: string) => configOf(withProxy(keys, rest)).connectProxy?.listeners;
    expect(listeners(`${inNetwork}, listeners: [many]`)).toEqual(['many:7000', 'many:7001']);
    expect(listeners(`${inNetwork}, listeners: [":1"]`)).toEqual([':1']);
  });
});

describe('destinations', () => {
  const range = (first: number, last = first) => ({ first, last });
  test.each([
    ['example.com', { name: 'example.com', network: null, ports: null }],
    ['Example.COM.:443', { name: 'example.com', network: null, ports: [range(443)] }],
    ['*.example.com:443', { name: '*.example.com', network: null, ports: [range(443)] }],
    ['*', { name: '*', network: null, ports: null }],
    ['*:80,8000-8999', { name: '*', network: null, ports: [range(80), range(8000, 8999)] }],
    ['xn--bcher-kva.example:*', { name: 'xn--bcher-kva.example', network: null, ports: 'any' }],
    ['10.1.0.0/16:*', { name: null, network: '10.1.0.0/16', ports: 'any' }],
    ['10.1.2.3/16', { name: null, network: '10.1.0.0/16', ports: null }],
    ['192.0.2.7:22', { name: null, network: '192.0.2.7', ports: [range(22)] }],
    ['[2001:DB8::0]/32:443', { name: null, network: '2001:db8::/32', ports: [range(443)] }],
    ['[::1]:22', { name: null, network: '::1', ports: [range(22)] }],
    ['fd00::/8', { name: null, network: 'fd00::/8', ports: null }],
    ['[::ffff:10.0.0.0]/104', { name: null, network: '10.0.0.0/8', ports: null }],
  ])('%s', (text, expected) => expect(parseDestinations(text)).toEqual(expected));

  test.each([
    ['', ''],
    ['https://example.com/', 'leave out the scheme and what is behind the host'],
    ['::1', 'write it in brackets: `[::1]`'],
    ['2001:db8::/32:443', 'write `[2001:db8::]/32:443`'],
    ['example.com:0', 'ports are 1 to 65535, the lower one first'],
    ['example.com:90-80', 'ports are 1 to 65535, the lower one first'],
    ['example.com:https', 'ports are 1 to 65535'],
    ['example.com:70000', 'ports are 1 to 65535'],
    ['10.0.0.0/33', '`/33` is longer than the 32 bits of an IPv4 address'],
    ['127.1', 'an IPv4 address is four decimal numbers from 0 to 255'],
    ['0x7f000001', 'an IPv4 address is four decimal numbers'],
    ['2130706433:443', 'an IPv4 address is four decimal numbers'],
    ['010.0.0.1', 'an IPv4 address is four decimal numbers'],
    ['a.*.example.com', '`*` stands alone, or before the first dot'],
    ['*example.com', '`*` stands alone, or before the first dot'],
    ['bücher.example', 'names are asked for in ASCII'],
    ['user@example.com', ''],
    ['-a.example', ''],
    [`${'a'.repeat(64)}.example`, ''],
  ])('not %s', (text, cure) => {
    expect(parseDestinations(text)).toBeNull();
    const [line = '', ...others] = complaintsOf(`${inNetwork}, allow: [${JSON.stringify(text)}]`);
    expect(others).toEqual([]);
    expect(line).toContain(
      'connect_proxy.allow[0]: expected a host name, `*.` and one, `*`, an address or a network',
    );
    expect(line).toContain(cure);
  });

  test('without a port those that are allowed have `ports`, and those that are denied have all', () =>
    expect(
      proxyOf(
        `${inNetwork}, ports: [443, "8000-8999"], allow: [a.example, "b.example:22"], deny: [c.example]`,
      ),
    ).toMatchObject({
      allow: [{ ports: [range(443), range(8000, 8999)] }, { ports: [range(22)] }],
      deny: [{ ports: 'any' }],
    }));
});

describe('refused', () => {
  test.each([
    [
      'a proxy for everybody',
      '',
      'connect_proxy: would be open to everybody: name `users` or a `users_file`, or',
    ],
    [
      'all networks',
      'allow_from: ["0.0.0.0/0"]',
      'connect_proxy.allow_from[0]: makes the proxy open to everybody',
    ],
    ['an empty list of who may', 'allow_from: []', 'connect_proxy: would be open to everybody'],
    [
      'a network that is none',
      'allow_from: [example.com]',
      'connect_proxy.allow_from[0]: expected an address or a network',
    ],
    [
      'nothing that is allowed',
      `${inNetwork}, allow: []`,
      'connect_proxy.allow: allows nothing: leave it out to allow every public address',
    ],
    ['no port', `${inNetwork}, ports: []`, 'connect_proxy.ports: has no port'],
    [
      'a port that is none',
      `${inNetwork}, ports: [0]`,
      'connect_proxy.ports[0]: expected a port from 1 to 65535',
    ],
    [
      'several in one',
      `${inNetwork}, ports: ["80,443"]`,
      'connect_proxy.ports[0]: expected a port from 1 to 65535',
    ],
    [
      'an unknown listener',
      `${inNetwork}, listeners: [frnt]`,
      'connect_proxy.listeners[0]: unknown listener `frnt`: did you mean `front`?',
    ],
    [
      'a forward',
      `${inNetwork}, listeners: [turn]`,
      'connect_proxy.listeners[0]: `turn` is a forward, which reads no request',
    ],
    [
      'datagrams alone',
      `${inNetwork}, listeners: [datagrams]`,
      'connect_proxy.listeners[0]: `datagrams` takes datagrams alone',
    ],
    [
      'no HTTP',
      `${inNetwork}, listeners: [mail]`,
      'connect_proxy.listeners[0]: `mail` accepts no `http`: add it to its `protocols`',
    ],
    ['no listener', `${inNetwork}, listeners: []`, 'connect_proxy.listeners: names no listener'],
    [
      'a misspelled key',
      `${inNetwork}, alow: []`,
      'connect_proxy.alow: unknown key `alow`: did you mean `allow`?',
    ],
    ['no users', 'users: {}', 'connect_proxy.users: has no user: nobody could use the proxy'],
    [
      'a password',
      'users: { alice: hunter2 }',
      'connect_proxy.users.alice: is no hash: `anyport hash-password` makes one',
    ],
    ['another hash', 'users: { alice: "$2y$05$abc" }', 'connect_proxy.users.alice: is a hash of bcrypt'],
    [
      'a weak hash',
      `users: { alice: "${hashWith(1, 10)}" }`,
      'connect_proxy.users.alice: is guessed too cheaply',
    ],
    [
      'a dear hash',
      `users: { alice: { hash: "${hashWith(1, 20)}" } }`,
      'connect_proxy.users.alice: costs too much',
    ],
    [
      'a name with a blank',
      `users: { "al ice": "${A}" }`,
      'connect_proxy.users.al ice: has a name with a blank',
    ],
    ['no file', 'users_file: nowhere', 'connect_proxy.users_file: no such file: /etc/anyport/nowhere'],
    [
      'a file without users',
      'users_file: empty',
      'connect_proxy.users_file: has no user: nobody could use the proxy',
    ],
    [
      'a user in both',
      `users: { alice: "${A}" }, users_file: alice`,
      'connect_proxy.users_file: /etc/anyport/alice:1: `alice` is one of `users` already',
    ],
  ])('%s', (_, keys, expected) => {
    const [line = '', ...others] = complaintsOf(keys);
    expect(others).toEqual([]);
    expect(line).toContain(expected);
  });

  test('what no listener can take', () =>
    expect(complaintsOf(inNetwork, 'listeners: [{ name: a, address: ":1", protocols: [ssh] }]\n')).toEqual([
      'connect_proxy: is nowhere: no listener of connections accepts `http`',
    ]));

  test('each wrong line of a file, by its number; no password is shown', () => {
    const lines = complaintsOf('users_file: wrong');
    expect(lines.map((line) => line.replace(/^.*users_file: /, ''))).toEqual([
      '/etc/anyport/wrong:2: expected `NAME:HASH`',
      '/etc/anyport/wrong:3: the hash of `dave` is no hash: `anyport hash-password` makes one',
      '/etc/anyport/wrong:4: `bob` is there already, in line 1',
    ]);
    expect(lines.join()).not.toContain('hunter');
  });

  test('of another kind of file a few lines', () => {
    const lines = complaintsOf('users_file: many');
    expect(lines).toHaveLength(11);
    expect(lines.at(-1)).toContain('/etc/anyport/many: has 40 more wrong lines');
  });

  test('an upstream of the name that the proxy has', () => {
    const rest =
      'protocols: [{ name: HTTP, target: connect_proxy }]\nupstreams: { connect_proxy: { endpoints: ["h:1"] } }\n';
    expect(complaintsOf(inNetwork, rest)).toEqual([
      'upstreams.connect_proxy: `connect_proxy` is what the upstream of `connect_proxy` is called: name it otherwise',
    ]);
  });
});

describe('warned of', () => {
  test('nothing in what is in order', () => {
    expect(
      warnings(`${inNetwork}, listeners: [front], allow: ["*.example.com:443", "10.1.0.0/16:*"]`),
    ).toEqual([]);
    expect(warnings('users_file: users, listeners: [front]')).toEqual([]);
  });

  test.each([
    [
      `${inNetwork}, user_limits: { max_connections: 1 }`,
      'connect_proxy.user_limits: has no effect without users',
    ],
    [`${inNetwork}, log_users: true`, 'connect_proxy.log_users: has no effect without users'],
    [
      `${inNetwork}, ports: [80], allow: ["a.example:443"]`,
      'connect_proxy.ports: has no effect: every destination of `allow` names its own',
    ],
    [
      `${inNetwork}, allow: ["a.b.example:443"], deny: [c.example, "*.b.example"]`,
      'connect_proxy.allow[0]: can never be reached: connect_proxy.deny[1] denies all of it',
    ],
    [
      `${inNetwork}, allow: ["10.1.0.0/16:443"], deny: ["10.0.0.0/8:1-1000"]`,
      'connect_proxy.allow[0]: can never be reached: connect_proxy.deny[0] denies all of it',
    ],
    [
      'users_file: shared',
      'connect_proxy.users_file: may be read by other users of this machine, who can try passwords: `chmod 600` it',
    ],
  ])('%s', (keys, expected) => expect(warnings(`${keys}, listeners: [front]`)).toEqual([expected]));

  test('not of what a denial leaves', () =>
    expect(
      warnings(
        `${inNetwork}, listeners: [front], allow: ["*.example:443", "10.0.0.0/8:443"], deny: ["a.example", "10.1.0.0/16", "10.0.0.0/8:80"]`,
      ),
    ).toEqual([]));

  test('passwords in clear text, where strangers are on the way', () => {
    const at = (address: string, keys = `users: { alice: "${A}" }`) =>
      warnings(keys, `listeners: [{ name: a, address: "${address}" }]\n`);
    expect(at(':443')).toEqual([
      expect.stringContaining('connect_proxy.users: passwords come to `:443` in clear text'),
    ]);
    expect(at('192.0.2.1:443')).toHaveLength(1);
    for (const nearby of ['127.0.0.1:443', '10.0.0.1:443', 'unix:/run/a.sock', '[::1]:443'])
      expect(at(nearby)).toEqual([]);
    expect(at(':443', `users: { alice: "${A}" }, allow_from: ["10.0.0.0/8"]`)).toEqual([]);
  });

  test.each([
    ['127.0.0.0/8', 'lets clients reach what listens for this machine alone'],
    ['[::1]:*', 'lets clients reach what listens for this machine alone'],
    ['169.254.169.254:*', 'lets clients ask where clouds hand out the credentials of this machine'],
    [
      '0.0.0.0/0:*',
      'is every public address: others are reached where a network within their range is listed',
    ],
  ])('%s', (pattern, expected) =>
    expect(warnings(`${inNetwork}, listeners: [front], allow: ["${pattern}"]`)).toEqual([
      `connect_proxy.allow[0]: ${expected}`,
    ]),
  );

  test('not of one address and port, of other networks, of names', () =>
    expect(
      warnings(
        `${inNetwork}, listeners: [front], allow: ["127.0.0.1:8080", "10.0.0.0/8:*", "169.254.0.0/16:*", "*:443"]`,
      ),
    ).toEqual([]));

  test('a listener whose sessions would not have to say a byte', () => {
    const rest = `${base}routes: [{ when: { listener: back }, to: web }]\n`;
    expect(warnings(inNetwork, rest)).toEqual([
      expect.stringContaining(
        'connect_proxy.listeners: a session of `back` has to say what it speaks before routes[0] takes it',
      ),
    ]);
    expect(warnings(`${inNetwork}, listeners: [front]`, rest)).toEqual([]);
  });

  test('a route for what the proxy takes; a listener that has nothing but the proxy leads somewhere', () => {
    const route = `${base}routes: [{ when: { protocol: http, method: CONNECT, listener: front }, to: web }]\n`;
    expect(warningsOf(withProxy(inNetwork, route))).toEqual([
      'routes[0]: can never be reached: connect_proxy takes all that it could',
    ]);
    const alone = 'listeners: [{ name: a, address: "127.0.0.1:1" }, { name: b, address: "127.0.0.1:2" }]\n';
    expect(warningsOf(withProxy(`${inNetwork}, listeners: [a]`, alone))).toEqual([
      'listeners[1]: leads nowhere: no route and no target is for what it accepts, and every session will be closed',
    ]);
  });

  test('a user of the daemon who may not read the file', () => {
    const rest = `${base}server: { user: anyport }\n`;
    const denied = { ...world, denied: ['read /etc/anyport/users'] };
    expect(warningsOf(withProxy('users_file: users, listeners: [front]', rest), denied)).toEqual([
      'server.user: by its permissions /etc/anyport/users is not for `anyport` to read: every reload is refused',
    ]);
  });
});

describe('in the Plan', () => {
  const short = ({ when, to, name }: PlanRoute) => ({ name, when, to });
  const proxy = { name: 'connect_proxy', to: { kind: 'proxy' } };

  test('it takes requests before all other routes, and what nobody else takes of requests for web servers', () => {
    const plan = planOf(`${inNetwork}, socks: true`);
    const names = plan.routes.map(({ name }) => name);
    const [http, ssh, http2, socks4, socks5] = ['http', 'ssh', 'http2', 'socks4', 'socks5'].map((id) =>
      plan.protocols.findIndex((protocol) => protocol.id === id),
    );
    expect(names).toEqual([
      'forwards[0]',
      'connect_proxy',
      'connect_proxy',
      'protocols.SSH',
      'protocols.HTTP',
      'connect_proxy',
      'connect_proxy',
    ]);
    expect(plan.routes.map(short).filter(({ to }) => to.kind === 'proxy')).toEqual([
      { ...proxy, when: { protocol: http, method: 'CONNECT', listener: [0, 1] } },
      { ...proxy, when: { protocol: [socks4, socks5].toSorted(), listener: [0, 1] } },
      // Not where `on_unknown` leads somewhere.
      { ...proxy, when: { protocol: http, listener: 0 } },
      { ...proxy, when: { protocol: http2, listener: 0 } },
    ]);
    expect(plan.listeners[0]?.protocols).toEqual(expect.arrayContaining([http, ssh, http2, socks4, socks5]));
    expect(plan.listeners[2]?.protocols).toEqual([ssh]);
  });

  test('a refinement is answered, too, but only where it is told apart', () => {
    const rest = `protocols: [{ name: websocket, target: "10.0.0.1:80" }]\nlisteners: [{ name: a, address: ":1" }]\n`;
    const plan = planOf(inNetwork, rest);
    const ids = plan.routes.at(-2)?.when.protocol as number[];
    expect(ids.map((index) => plan.protocols[index]?.id)).toEqual(['websocket', 'http']);
  });

  test('without limits all users have one upstream', () => {
    const plan = planOf('users_file: users');
    expect(plan.connectProxy?.users).toEqual([
      { name: 'bob', hash: B, upstream: 3 },
      { name: 'carol', hash: A, upstream: 3 },
    ]);
    expect(plan.upstreams).toHaveLength(4);
    expect(plan.upstreams[3]).toMatchObject({
      name: 'connect_proxy',
      endpoints: [{ name: '*', addresses: [] }],
    });
    expect(plan.ids.endpoints[3]).toHaveLength(1);
  });

  test('a user with limits has one of its own, which is named only where users are', () => {
    const keys = `users: { alice: "${A}", bob: { hash: "${B}", max_connections: 3, bandwidth: { up: 1KiB } } }, idle_timeout: 2h`;
    const plan = planOf(keys);
    expect(plan.connectProxy?.users?.map(({ upstream }) => upstream)).toEqual([3, 4]);
    expect(plan.upstreams[4]).toMatchObject({
      name: 'connect_proxy',
      options: {
        max_connections: 3,
        bandwidth: { up: 1024, down: 0, per: 'upstream' },
        idle_timeout: 7_200_000,
      },
    });
    expect(plan.upstreams[3]?.options).toMatchObject({ max_connections: 0, idle_timeout: 7_200_000 });
    expect(new Set(plan.ids.upstreams).size).toBe(5);
    expect(new Set(plan.ids.endpoints.flat()).size).toBe(5);
    expect(planOf(`${keys}, log_users: true`).upstreams.map(({ name }) => name)).toEqual([
      'web',
      'SSH',
      'turn',
      'connect_proxy',
      'connect_proxy/bob',
    ]);
  });

  test('a user keeps its ids when others come and go', () => {
    const ids = new IdRegistry();
    const idsOf = (users: string) => {
      const config = configOf(withProxy(`users: { ${users} }, user_limits: { max_connections: 1 }`));
      const plan = compile(config, NOTHING_DISCOVERED, 1, ids);
      const upstream = plan.connectProxy?.users?.find(({ name }) => name === 'bob')?.upstream ?? -1;
      return [plan.ids.upstreams[upstream], plan.ids.endpoints[upstream]];
    };
    expect(idsOf(`alice: "${A}", bob: "${B}"`)).toEqual(idsOf(`zoe: "${B}", carol: "${B}", bob: "${A}"`));
  });
});

describe('a difference', () => {
  const diff = (before: string, after: string) =>
    diffConfigs(configOf(before, world), configOf(after, world)).map(({ kind, change, name, fields }) => ({
      kind,
      change,
      name,
      fields,
    }));

  test('of the section, key by key', () => {
    expect(
      diff(withProxy(inNetwork), withProxy(`${inNetwork}, allow: ["*.example.com", "[fd00::]/8:1-9"]`)),
    ).toEqual([
      {
        kind: 'setting',
        change: 'changed',
        name: 'connect_proxy.allow',
        fields: [{ key: 'allow', from: null, to: ['*.example.com:443', '[fd00::]/8:1-9'] }],
      },
    ]);
    const names = diff(base, withProxy(inNetwork)).map(({ name }) => name);
    expect(names).toContain('connect_proxy');
    expect(names).toContain('connect_proxy.listeners');
  });

  test('of users, each by name, without a hash', () => {
    const before = withProxy(`users: { alice: "${A}", bob: "${A}" }`);
    const after = withProxy(`users: { bob: { hash: "${B}", max_connections: 2 }, carol: "${A}" }`);
    const items = diff(before, after);
    expect(items).toEqual([
      {
        kind: 'user',
        change: 'changed',
        name: 'bob',
        fields: [
          { key: 'hash', from: '(a secret)', to: '(a secret)' },
          { key: 'max_connections', from: 0, to: 2 },
        ],
      },
      { kind: 'user', change: 'added', name: 'carol', fields: [] },
      { kind: 'user', change: 'removed', name: 'alice', fields: [] },
    ]);
    expect(JSON.stringify(items)).not.toContain('scrypt');
  });
});

test('the file of users is watched, there or not', () => {
  const document = {
    listeners: [{ name: 'a', address: '127.0.0.1:0' }],
    connect_proxy: { users_file: 'users' },
  };
  const loaded = loadConfig({ document, directory: '/nonexistent' });
  expect(loaded).toMatchObject({ ok: false, files: ['/nonexistent/users'] });
});
