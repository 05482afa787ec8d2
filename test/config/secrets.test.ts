import { describe, expect, test } from 'vitest';
import { diffConfigs } from '../../src/config/diff/index.js';
import { jsonSchema } from '../../src/config/schema/index.js';
import { secretKeys, secretUrls } from '../../src/config/secret-keys.js';
import { unveilSecrets, veilSecrets } from '../../src/config/secrets.js';
import { configOf, problemsOf } from './support.js';

const running = {
  admin: { listen: ':9093', token: 'correct-horse' },
  kcp: { link: { secret: 's3cret', cipher: 'aes-128-gcm', kcptun: { key: 'it' } } },
  connect_proxy: { users: { alice: '$scrypt$1', bob: { hash: '$scrypt$2', max_connections: 2 } } },
  distributed: { username: 'root', password: 'pw' },
  upstreams: {
    web: { endpoints: ['a:80'], via: 'http://user:pa%40ss@proxy:3128' },
    plain: { endpoints: ['a:80'], via: 'http://proxy:3128' },
    far: { endpoints: ['a:80'], via: ['socks5://first:one-pass@p', { url: 'https://al:two-pass@q:1' }] },
    cache: { endpoints: ['a:6379'], health_check: { type: 'redis', user: 'check', password: 'ping-me' } },
  },
  protocols: [
    {
      name: 'redis',
      target: {
        endpoints: ['b:6379'],
        health_check: { password: 'ping-too' },
        via: 'http://own:own-pass@proxy:3128',
      },
    },
  ],
};
const secrets = [
  'correct-horse',
  's3cret',
  '"it"',
  'scrypt',
  '"pw"',
  'user:',
  'pa%40ss',
  'ping-me',
  'ping-too',
  'own-pass',
  'one-pass',
  'two-pass',
];

test('every secret is veiled, and nothing else', () => {
  const veiled = veilSecrets(running);
  for (const secret of secrets) expect(JSON.stringify(veiled)).not.toContain(secret);
  expect(veiled).toEqual({
    admin: { listen: ':9093', token: '***' },
    kcp: { link: { secret: '***', cipher: 'aes-128-gcm', kcptun: { key: '***' } } },
    connect_proxy: { users: { alice: '***', bob: { hash: '***', max_connections: 2 } } },
    distributed: { username: 'root', password: '***' },
    upstreams: {
      web: { endpoints: ['a:80'], via: 'http://***@proxy:3128' },
      plain: { endpoints: ['a:80'], via: 'http://proxy:3128' },
      far: { endpoints: ['a:80'], via: ['socks5://***@p', { url: 'https://***@q:1' }] },
      cache: { endpoints: ['a:6379'], health_check: { type: 'redis', user: 'check', password: '***' } },
    },
    protocols: [
      {
        name: 'redis',
        target: { endpoints: ['b:6379'], health_check: { password: '***' }, via: 'http://***@proxy:3128' },
      },
    ],
  });
});

test('a document that is read and sent back has its secrets', () => {
  expect(unveilSecrets(veilSecrets(running), running)).toEqual({ document: running, problems: [] });
});

test('a veil goes with its place: at another one it is no secret', () => {
  const moved = {
    kcp: { other: { secret: '***' } },
    upstreams: { web: { via: 'http://***@evil:3128' } },
    admin: { token: 'new-token' },
  };
  const { document, problems } = unveilSecrets(moved, running);
  expect(document).toEqual(moved);
  expect(problems.map(({ path }) => path).toSorted()).toEqual(['kcp.other.secret', 'upstreams.web.via']);
});

test('without secrets there is nothing to do', () => {
  const plain = { admin: { token: '' }, server: { listen: ':1' } };
  expect(veilSecrets(plain)).toEqual(plain);
  expect(unveilSecrets(plain, running)).toEqual({ document: plain, problems: [] });
});

describe('a message about a secret does not have it', () => {
  const written = [
    ['a number', 'admin: { token: 246813579 }'],
    ['blanks', 'admin: { token: "246813579 x" }'],
    ['an alias by mistake', 'admin:\n  token: *246813579'],
    ['a tag by mistake', 'admin:\n  token: !246813579 x'],
    ['an escape by mistake', 'admin:\n  token: "246813579\\q"'],
    ['a line that is set out', 'admin:\n  token: 246813579\n listen: x'],
    ['a second one', 'admin:\n  token: "246813579"\n  token: "2468135790"'],
    ['another key', 'admin: { tokn: "246813579" }'],
    ['a password for its hash', 'connect_proxy: { users: { alice: 246813579 } }'],
    ['the same as text', 'connect_proxy: { users: { alice: "246813579" } }'],
    ['the same in a mapping', 'connect_proxy: { users: { alice: { hash: 246813579 } } }'],
    [
      'a check',
      'upstreams: { a: { endpoints: ["h:1"], health_check: { type: redis, password: 246813579 } } }',
    ],
    [
      'a check of another type',
      'upstreams: { a: { endpoints: ["h:1"], health_check: { type: tcp, password: 246813579 } } }',
    ],
    [
      'a check of a target',
      'protocols: [{ name: redis, target: { endpoints: ["h:1"], health_check: { type: redis, password: 246813579 } } }]',
    ],
    ['an endpoint with a login', 'upstreams: { a: { endpoints: ["http://me:246813579@h:1"] } }'],
    ['the same without a scheme', 'upstreams: { a: { endpoints: ["me:246813579@h"] } }'],
  ] as const;

  test.each(written)('%s', (_, text) => {
    const problems = problemsOf(text);
    expect(problems.length).toBeGreaterThan(0);
    expect(problems.join('\n')).not.toContain('246813579');
  });

  test('and still says what is expected, and where', () =>
    expect(problemsOf('admin: { token: 246813579 }')).toEqual(['any.yaml:1:10: admin.token: expected text']));
});

test('a difference has no secret, and says that one has changed', () => {
  const text = (secret: string) => `
    admin: { token: "token-${secret}" }
    upstreams: { a: { endpoints: ["h:1"], health_check: { type: redis, password: "pass-${secret}" } } }`;
  const items = diffConfigs(configOf(text('246813579')), configOf(text('135792468')));
  expect(JSON.stringify(items)).not.toMatch(/246813579|135792468/);
  expect(items.map(({ name }) => name)).toEqual(['admin.token', 'a']);
  expect(items[1]?.fields).toEqual([{ key: 'health_check.password', from: '(a secret)', to: '(a secret)' }]);
});

test('a key that is named like a secret is known as one', () => {
  interface Node {
    readonly properties?: Readonly<Record<string, Node>>;
    readonly [other: string]: unknown;
  }
  const named: string[] = [];
  const walk = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    for (const key of Object.keys((node as Node).properties ?? {}))
      if (/pass|secret|token|credential|^via$|^key$/.test(key) && key !== 'passive_health') named.push(key);
    for (const inner of Object.values(node)) walk(inner);
  };
  walk(jsonSchema());
  const known = [...secretKeys, ...secretUrls].map((pattern) => pattern.split('.').at(-1));
  expect(named).toContain('token');
  expect(named.filter((key) => !known.includes(key))).toEqual([]);
});
