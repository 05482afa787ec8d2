/** `distributed`: what becomes of it, and what is said of it. */
import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { applyClusterEnvironment } from '../../src/config/cluster-environment.js';
import type { Environment } from '../../src/config/environment.js';
import { keyFile } from '../../src/config/file-kind.js';
import { readConfig } from '../../src/config/read.js';
import { Authority, authorityTools, type Identity } from '../support/authority.js';
import { tempFolder } from '../support/temp.js';
import { describeWith } from '../support/tools.js';
import { configOf, problemsOf, type World, warningsOf } from './support.js';

const base = 'protocols: [{ name: HTTP, target: "10.0.0.1:80" }]\n';
const on = 'enable: true, etcd_endpoints: ["http://etcd:2379"]';
const withKeys = (keys: string, rest = base): string => `${rest}distributed: { ${keys} }`;
const resolved = (keys: string, world?: World) => configOf(withKeys(keys), world).distributed;
/** Without the file and the position. */
const complaints = (keys: string, rest = base, world?: World) =>
  problemsOf(withKeys(keys, rest), world).map((line) => line.replace(/^[^ ]* /, ''));

describe('what becomes of it', () => {
  test('nothing without the section, and nothing of one that is off', () => {
    expect(configOf(base).distributed).toBeNull();
    expect(resolved('enable: false, etcd_endpoints: ["http://etcd:2379"]')).toBeNull();
  });

  test('defaults', () =>
    expect(resolved(on)).toEqual({
      nodeId: 'gateway',
      endpoints: ['http://etcd:2379'],
      ttlS: 30,
      refreshMs: 30_000,
      prefix: '/anyport',
      advertise: null,
      tls: null,
      user: null,
      stateFile: null,
      allowLoopback: false,
      sharesHealth: true,
      clusterKey: null,
      dividesLimits: false,
      discovers: true,
      watchPrefix: null,
    }));

  test('every key', () =>
    expect(
      resolved(`${on}, node_id: node-1, ttl: 10, prefix: /edge/, advertise: "10.0.0.1:9090", username: root, password: pw,
        state_file: /var/lib/anyport/state, allow_loopback: true, share_health: false, divide_limits: true, cluster_key: ${'k'.repeat(32)}, service_discovery: { enable: false, refresh_interval: 5 },
        config_manager: { watch_prefix: /edge/files }`),
    ).toMatchObject({
      nodeId: 'node-1',
      ttlS: 10,
      refreshMs: 5000,
      prefix: '/edge',
      advertise: '10.0.0.1:9090',
      user: { name: 'root', password: 'pw' },
      stateFile: '/var/lib/anyport/state',
      allowLoopback: true,
      sharesHealth: false,
      clusterKey: 'k'.repeat(32),
      dividesLimits: true,
      discovers: false,
      watchPrefix: '/edge/files',
    }));

  test.each([
    ['ttl: 45', { ttlS: 45 }],
    ['ttl: 1m', { ttlS: 60 }],
    ['config_manager: {}', { watchPrefix: '/anyport/config' }],
    ['config_manager: { watch_prefix: /anyport-config/ }', { watchPrefix: '/anyport-config' }],
    ['config_manager: { enable: false }', { watchPrefix: null }],
  ])('%s', (keys, expected) => expect(resolved(`${on}, ${keys}`)).toMatchObject(expected));

  test.each([
    ['http://etcd', ['http://etcd:2379']],
    ['etcd:4001', ['http://etcd:4001']],
    ['HTTPS://[::1]:2379/', ['https://[::1]:2379']],
  ])('an endpoint %s', (written, endpoints) =>
    expect(resolved(`enable: true, etcd_endpoints: "${written}"`)).toMatchObject({ endpoints }),
  );

  test('a service is an endpoint of an upstream', () => {
    const text = withKeys(
      on,
      'protocols: [{ name: HTTP, target: web }]\nupstreams: { web: { endpoints: ["service:orders"] } }\n',
    );
    expect(configOf(text).upstreams[0]?.endpoints[0]).toMatchObject({
      name: 'service:orders',
      address: { service: 'orders' },
    });
  });
});

describe('load_balancer', () => {
  const strategies = (loadBalancer: string) =>
    configOf(`protocols: [{ name: HTTP, target: "service:web" }, { name: SSH, target: { endpoints: ["service:ssh"] } }]
upstreams:
  says: { endpoints: ["service:web"], balance: round_robin }
  none: { endpoints: ["10.0.0.1:80", "service:web"] }
  other: { endpoints: ["10.0.0.1:80", "srv:_http._tcp.example.org"] }
forwards: [{ name: passed, listen: 7000, target: "service:web" }]
distributed: { ${on}, ${loadBalancer} }`).upstreams.map(({ name, options }) => `${name} ${options.balance}`);

  test.each(['random_two', '{ strategy: random_two }'])('%s: of services that say none', (written) =>
    expect(strategies(`load_balancer: ${written}`)).toEqual([
      'says round_robin',
      'none random_two',
      'other round_robin',
      'HTTP random_two',
      'SSH random_two',
      'passed random_two',
    ]),
  );

  test('without it', () =>
    expect(new Set(strategies('ttl: 30s').map((each) => each.split(' ')[1]))).toEqual(
      new Set(['round_robin']),
    ));
});

describe('what is said of it', () => {
  test.each([
    ['enable: true', 'distributed: needs `etcd_endpoints` such as `["http://etcd:2379"]`'],
    [`${on}, node_id: "a/b"`, 'distributed.node_id: expected up to 128 letters'],
    [`${on}, ttl: 1`, 'distributed.ttl: expected seconds, or a duration such as `30s`, from 5s to 1h'],
    [`${on}, ttl: [1]`, 'distributed.ttl: expected seconds'],
    [`${on}, prefix: anyport`, 'distributed.prefix: expected a prefix of keys such as `/anyport`'],
    [`${on}, advertise: "10.0.0.1"`, 'distributed.advertise: expected an address such as `10.0.0.1:9090`'],
    [`${on}, username: root`, 'distributed.username: needs a `password`, too'],
    [`${on}, password: pw`, 'distributed.password: needs a `username`, too'],
    [`${on}, tls: {}`, 'distributed.tls: has no effect: none of `etcd_endpoints` is an `https` URL'],
    [`${on}, cluster_key: short`, 'distributed.cluster_key: expected a text of 32 to 1024 characters'],
    [`${on}, state_file: state`, 'distributed.state_file: expected an absolute path'],
    [
      `${on}, config_manager: { watch_prefix: /anyport }`,
      'distributed.config_manager.watch_prefix: `/anyport/` and `/anyport/nodes/`, where nodes write, have keys in common: write `/anyport/config`',
    ],
    [`${on}, config_manager: { watch_prefix: /anyport/status/a }`, '`/anyport/status/`, where nodes write'],
    [`${on}, ttls: 5`, 'distributed.ttls: unknown key `ttls`: did you mean `ttl`?'],
    [`${on}, load_balancer: round_robbin`, 'distributed.load_balancer: expected one of `round_robin`'],
    [
      'enable: true, etcd_endpoints: ["ftp://a"]',
      'distributed.etcd_endpoints[0]: expected the URL of an etcd',
    ],
    [
      'enable: true, etcd_endpoints: ["http://u:p@a:1"]',
      'write user and password as `username` and `password`',
    ],
  ])('%s', (keys, expected) => {
    const said = complaints(keys);
    expect(said.join('\n')).toContain(expected);
    expect(said).toHaveLength(1);
  });

  test.each([
    ...['http://u:pass/word@h:2379', 'http://u:pass word@h', 'http://password@h', 'http://u%3Apassword@h'],
    ...['http://u:p@ssword@h', 'http://u:pass#word@h', 'u:password@h:1', 'http://h:2379/?token=password'],
    ...['http://u:p"assword@h', 'http://u:p\\nassword@h'],
  ])('a secret in a URL is not said again: %s', (url) => {
    const [said = ''] = complaints(`enable: true, etcd_endpoints: ['${url}']`);
    expect(said).toContain('expected the URL of an etcd');
    expect(said).toContain('***');
    expect(said.replace('`username` and `password`', '').replace('user and password', '')).not.toMatch(
      /pass|word/,
    );
  });

  test('certificates and keys: both, there, and PEM', () => {
    const https = 'enable: true, etcd_endpoints: ["https://etcd:2379"]';
    expect(complaints(`${https}, tls: { cert: c.pem }`).join('\n')).toMatch(
      /needs its private `key`, too[\s\S]*no such file/,
    );
    const keys = { '/etc/anyport/k.pem': { text: 'secret words', isShared: false } };
    const said = complaints(`${https}, tls: { cert: k.pem, key: k.pem }`, base, { keys }).join('\n');
    expect(said).toContain('has no certificate that can be read');
    expect(said).toContain('has no private key that can be read: expected PEM');
    expect(said).not.toContain('secret words');
  });

  test('a password in clear text', () => {
    const user = 'username: u, password: pw';
    const open = withKeys(
      `enable: true, etcd_endpoints: ["https://etcd", "http://[::1]:1", "http://etcd:1"], ${user}`,
    );
    expect(warningsOf(open)).toEqual([
      expect.stringContaining('distributed.password: goes to etcd in clear text'),
    ]);
    const own = withKeys(`enable: true, etcd_endpoints: ["http://127.0.0.1:1"], username: u, password: pw`);
    expect(warningsOf(own)).toEqual([]);
  });

  test('a key of RSA is not too large for a file of keys', async () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 4096 });
    const folder = tempFolder();
    const text = String(privateKey.export({ type: 'pkcs1', format: 'pem' }));
    writeFileSync(`${folder.path}/key.pem`, text, { mode: 0o600 });
    expect(keyFile(`${folder.path}/key.pem`)).toEqual({ text, isShared: false });
    folder.remove();
  });

  test('a state file that can not be written', () => {
    const faults = { '/run/a/state': 'no such folder' };
    expect(complaints(`${on}, state_file: /run/a/state`, base, { faults }).join()).toContain(
      'no such folder',
    );
  });

  test.each([
    ['', '`service:orders` needs `distributed` with `enable: true`'],
    ['distributed: { enable: false }', '`service:orders` needs `distributed` with `enable: true`'],
    [
      `distributed: { ${on}, service_discovery: { enable: false } }`,
      '`service:orders` needs `distributed.service_discovery.enable: true`',
    ],
  ])('a service that nothing looks up: %s', (section, expected) => {
    const upstreams = 'upstreams: { web: { endpoints: ["service:orders"] } }\n';
    const said = problemsOf(`protocols: [{ name: HTTP, target: web }]\n${upstreams}${section}`);
    expect(said.join('\n')).toContain(expected);
  });
});

describe('the environment', () => {
  function sourceOf(text: string, environment: Environment) {
    const { source } = readConfig(text, 'any.yaml', {});
    return applyClusterEnvironment(source, environment);
  }
  test('wins over the section, and says so where it is wrong', () => {
    const environment = { PROTOPLEX_NODE_ID: 'p', ETCD_ENDPOINTS: 'http://a:1, http://b:2,' };
    const source = sourceOf(withKeys(on), environment);
    expect(source.value).toMatchObject({
      distributed: { enable: true, node_id: 'p', etcd_endpoints: ['http://a:1', 'http://b:2'] },
    });
    expect(source.place(['distributed', 'etcd_endpoints', 1]).path).toBe('ETCD_ENDPOINTS');
    expect(source.place(['distributed', 'enable'])).toMatchObject({ file: 'any.yaml' });
  });
  test('ours first; empty is unset; and without the section there is nothing to win over', () => {
    const both = { ANYPORT_NODE_ID: 'a', PROTOPLEX_NODE_ID: 'p', ETCD_ENDPOINTS: '' };
    expect(sourceOf(withKeys(on), both).value).toMatchObject({
      distributed: { node_id: 'a', etcd_endpoints: ['http://etcd:2379'] },
    });
    expect(sourceOf(base, both).value).not.toHaveProperty('distributed');
  });
});

describeWith(...authorityTools)('certificates and their keys', () => {
  let authority: Authority;
  let [named, nameless, other]: Identity[] = [];
  beforeAll(async () => {
    authority = await Authority.create();
    named = await authority.identity('DNS:a-node', 30, '/CN=a-node');
    nameless = await authority.identity('DNS:a-node', 30, '/O=anyport');
    other = await authority.identity('DNS:a-node');
  });
  afterAll(() => authority.remove());

  const tls =
    'enable: true, etcd_endpoints: ["https://etcd:2379"], tls: { ca: c.pem, cert: c.pem, key: k.pem }';
  const user = 'username: u, password: pw';
  const world = (cert = '', key = '', isShared = false): World => ({
    keys: {
      '/etc/anyport/c.pem': { text: cert, isShared: true },
      '/etc/anyport/k.pem': { text: key, isShared },
    },
  });

  test('a pair is taken as it is', () => {
    const { cert = '', key = '' } = nameless ?? {};
    expect(warningsOf(withKeys(`${tls}, ${user}`), world(cert, key))).toEqual([]);
    expect(resolved(tls, world(cert, key))?.tls).toEqual({ ca: cert, cert, key });
  });

  test('two that are no pair, and a key with a passphrase', () => {
    expect(complaints(tls, base, world(named?.cert, other?.key))).toEqual([
      'distributed.tls.key: is not the key of `cert`: renew both together',
    ]);
    const cipher = { cipher: 'aes-256-cbc', passphrase: 'secret words', format: 'pem' } as const;
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    for (const type of ['pkcs8', 'sec1'] as const)
      expect(
        complaints(tls, base, world(named?.cert, String(privateKey.export({ type, ...cipher })))),
      ).toEqual([
        expect.stringMatching(/^distributed\.tls\.key: is encrypted: expected .*: \/etc\/anyport\/k\.pem$/),
      ]);
  });

  test('what has expired or is not valid yet, what others may read, and two identities', () => {
    const warnings = (atDay: number, keys = tls) =>
      warningsOf(withKeys(keys), {
        ...world(named?.cert, named?.key, true),
        nowMs: Date.now() + atDay * 86_400_000,
      });
    const shared = expect.stringMatching(/^distributed\.tls\.key: may be read by other users/);
    expect(warnings(0)).toEqual([shared]);
    const twice = (words: RegExp) =>
      ['ca', 'cert'].map((name) =>
        expect.stringMatching(new RegExp(`^distributed\\.tls\\.${name}: ${words.source}`)),
      );
    expect(warnings(31)).toEqual([...twice(/has expired \(.* GMT\): renew it/), shared]);
    expect(warnings(-1)).toEqual([...twice(/is not valid before .* GMT: look at the clock/), shared]);
    expect(warnings(0, `${tls}, ${user}`)).toEqual([
      expect.stringMatching(
        /^distributed\.tls\.cert: has a common name beside a `username`: .* Issue it without CN/,
      ),
      shared,
    ]);
  });
});
