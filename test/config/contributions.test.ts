/** Fragments of providers beside the file: what is taken, what is refused and why. */
import { expect, test } from 'vitest';
import { mergeContributions } from '../../src/config/contributions/index.js';
import { documentSource } from '../../src/config/document.js';
import { formatProblem, unplaced } from '../../src/config/report.js';
import type { Source } from '../../src/config/source.js';
import type { Validated } from '../../src/config/validate/index.js';
import {
  type Contribution,
  contributionLimits,
  type Fragment,
  type WrittenFragment,
} from '../../src/providers/contribution.js';
import { validateSource } from './support.js';

const file = {
  listeners: [{ name: 'front', address: ':443' }],
  protocols: [{ name: 'HTTP', target: 'web' }],
  upstreams: { web: { endpoints: ['10.0.0.1:80'] } },
  forwards: [{ name: 'mail', listen: 25, target: '10.0.0.9:25' }],
};

const upstream = (name: string, rest: object = {}): Fragment['document'] => ({
  upstreams: { [name]: { endpoints: ['10.0.0.2:80'] } },
  ...rest,
});

const docker = (...fragments: Fragment[]): Contribution => ({ provider: 'docker', fragments });
const etcd = (...fragments: WrittenFragment[]): Contribution => ({ provider: 'etcd', fragments });
const written = (from: string, text: string): WrittenFragment => ({ from, text });

function merged(contributions: readonly Contribution[], base: object = file) {
  let asked = 0;
  const validate = (source: Source) => {
    asked += 1;
    return validateSource(source);
  };
  const { validated, refused, taken } = mergeContributions(documentSource(base), contributions, validate);
  const config = validated.ok ? validated.config : null;
  return {
    ok: validated.ok,
    asked,
    upstreams: config?.upstreams.map(({ name }) => name) ?? [],
    routes: config?.routes.map(({ when }) => when) ?? [],
    listeners: config?.listeners.map(({ name }) => name) ?? [],
    taken: taken.flatMap(({ fragments }) => fragments.map(({ from }) => from)),
    refused: refused.map(formatProblem),
  };
}

test('fragments go behind the file, and one validation is enough', () => {
  const route = { when: { protocol: 'http', host: 'a.example' }, to: 'api' };
  const { ok, asked, upstreams, routes, refused } = merged([
    docker({ from: 'container a', document: upstream('api', { routes: [route] }) }),
  ]);
  expect({ ok, asked, refused }).toEqual({ ok: true, asked: 1, refused: [] });
  expect(upstreams).toContain('api');
  expect(routes).toEqual([{ protocol: 'HTTP', host: 'a.example' }]);
});

test('a wrong fragment is refused with the place in which it was said; the rest goes on', () => {
  const wrong: Fragment = {
    from: 'container b',
    said: { 'upstreams.b': 'container b, label anyport.b.weight' },
    document: { upstreams: { b: { endpoints: [{ address: '10.0.0.2:80', weight: 'heavy' }] } } },
  };
  const { upstreams, refused } = merged([docker(wrong, { from: 'container c', document: upstream('c') })]);
  expect(upstreams).toContain('c');
  expect(upstreams).not.toContain('b');
  expect(refused).toHaveLength(1);
  expect(refused[0]).toMatch(/^docker: container b, label anyport\.b\.weight: upstreams\.b\.endpoints\[0\]/);
});

test.each<[string, Fragment['document'], RegExp]>([
  [
    'an upstream of the file',
    upstream('web'),
    /upstreams\.web: upstream `web` is there already, from the file/,
  ],
  ['the upstream of a forward', upstream('mail'), /upstream `mail` is there already, from the file/],
  [
    'a protocol of the file',
    { protocols: [{ name: 'http', target: '10.0.0.2:80' }] },
    /protocol `http` is there/,
  ],
  [
    'a port of a listener',
    { forwards: [{ listen: 443, target: '10.0.0.2:80' }] },
    /forwards\[0\]: `:443` is taken already, by listeners/,
  ],
  ['one address of it', { forwards: [{ listen: '127.0.0.1:443', target: '10.0.0.2:80' }] }, /443/],
  [
    'the name of a listener',
    { forwards: [{ name: 'front', listen: 1, target: '10.0.0.2:80' }] },
    /listener `front` is there/,
  ],
  [
    'all sessions of a protocol',
    upstream('x', { routes: [{ when: { protocol: 'http' }, to: 'x' }] }),
    /would take every session of `http`/,
  ],
  ['all sessions', upstream('x', { routes: [{ to: 'x' }] }), /would take every session of `http`/],
  [
    'all sessions by a wildcard',
    upstream('x', { routes: [{ when: { host: ['*'] }, to: 'x' }] }),
    /would take every session/,
  ],
  [
    'a listener',
    { listeners: [{ name: 'x', address: ':1' }] },
    /listeners: is for the file alone, since it says who may connect/,
  ],
  [
    'the control interface',
    { admin: { listen: ':1' } },
    /admin: is for the file alone, since it says who may command/,
  ],
  [
    'who it runs as',
    { server: { user: 'root' } },
    /server: is for the file alone, since it says what this process may use/,
  ],
  [
    'whom to believe',
    { distributed: {} },
    /distributed: is for the file alone, since it says who is believed/,
  ],
  ['what nobody knows', { upstreems: {} }, /upstreems: unknown key `upstreems`: did you mean `upstreams`\?/],
  ['an empty section', { routes: null }, /routes: expected a list, got nothing/],
  [
    'a socket of this machine',
    { upstreams: { x: { endpoints: ['unix:/run/docker.sock'] } } },
    /names a socket of this machine/,
  ],
  [
    'a socket to listen on',
    { forwards: [{ listen: 'unix:/run/x', target: '10.0.0.2:80' }] },
    /names a socket of this machine/,
  ],
  [
    'this machine',
    { upstreams: { x: { endpoints: [{ address: 'localhost:80' }] } } },
    /`localhost` leads to this machine itself: set `docker\.allow_loopback`/,
  ],
  [
    'this machine among others',
    { forwards: [{ listen: 1, target: '10.0.0.2:80,[::1]:80' }] },
    /`::1` leads to this machine/,
  ],
  [
    'this machine by a protocol',
    { protocols: [{ name: 'SSH', target: ['127.0.0.1:22'] }] },
    /`127\.0\.0\.1` leads to this machine/,
  ],
  [
    'a proxy on this machine',
    upstream('x', { upstreams: { x: { endpoints: ['a:1'], via: ['http://127.0.0.1:3128'] } } }),
    /via\[0\]: `127\.0\.0\.1` leads/,
  ],
  [
    'to ask this machine',
    upstream('x', { upstreams: { x: { endpoints: ['a:1'], health_check: { address: '::1' } } } }),
    /health_check\.address: `::1` leads/,
  ],
  ['cloud metadata', { upstreams: { x: { endpoints: ['169.254.169.254:80'] } } }, /leads to this machine/],
  [
    'a source',
    upstream('x', { upstreams: { x: { endpoints: ['a:1'], source: { interface: 'eth0' } } } }),
    /names addresses or interfaces/,
  ],
  [
    'a secret of the file',
    upstream('x', { upstreams: { x: { endpoints: ['a:1'], over: 'kcp', kcp: 'link' } } }),
    /show an endpoint of somebody else a secret/,
  ],
  [
    'who is trusted',
    { forwards: [{ listen: 1, target: 'a:1', proxy_protocol: { accept: true, trusted: ['0.0.0.0/0'] } }] },
    /says whom to believe/,
  ],
  [
    'a signature',
    { protocols: [{ name: 'X', regex: '^.', priority: 1, target: 'a:1' }] },
    /regex: decides about sessions of other protocols, too/,
  ],
  [
    'a special case of what the file has',
    { protocols: [{ name: 'WebSocket', target: 'a:1' }] },
    /would take sessions of `http`, of which `websocket` is a special case/,
  ],
  [
    'the same by a route',
    upstream('x', { routes: [{ when: { not: { protocol: ['WebDAV'] }, host: 'a' }, to: 'x' }] }),
    /of which `webdav` is a special case/,
  ],
  ['code', { upstreams: { x: { handler: './x.js' } } }, /upstreams\.x\.handler: names code or a file/],
  ['files', { upstreams: { x: { file_sd: ['/x.json'] } } }, /upstreams\.x\.file_sd: names code or a file/],
  [
    'a program',
    upstream('x', { upstreams: { x: { endpoints: ['a:1'], health_check: { type: 'exec' } } } }),
    /runs a program/,
  ],
  [
    'a secret of the environment',
    { upstreams: { x: { endpoints: ['$' + '{HOME}:80'] } } },
    /is replaced in files alone/,
  ],
  [
    'all ports, over and over',
    { forwards: Array.from({ length: 5000 }, () => ({ listen: '1-65535', target: '10.0.0.2' })) },
    /forwards: 327675002 addresses to listen on, with those there are, are too many: at most 1024/,
  ],
  ['a name that commands a terminal', upstream('\u001b[2J'), /leave out control characters/],
  ['a name without end', upstream('x'.repeat(1e5)), /a name of 100000 characters is too long: at most 255/],
  [
    'an upstream that nobody has',
    { routes: [{ when: { host: 'a.example' }, to: 'nobody' }] },
    /unknown upstream `nobody`/,
  ],
])('a fragment can not say %s', (_, document, why) => {
  const good = { from: 'container good', document: upstream('good') };
  const { ok, upstreams, refused } = merged([docker({ from: 'container bad', document }, good)]);
  expect(ok).toBe(true);
  expect(upstreams).toContain('good');
  expect(refused.join('\n')).toMatch(why);
  expect(refused.every((line) => line.startsWith('docker: container bad'))).toBe(true);
});

test('fragments together open no more ports than there may be', () => {
  const ports = (name: string, listen: string) => ({
    from: `container ${name}`,
    document: { forwards: [{ name, listen, target: '10.0.0.2' }] },
  });
  const { taken, refused } = merged([
    docker(ports('a', '2000-2999'), ports('b', '3000-3099'), ports('c', '4000-4021'), ports('d', '5000')),
  ]);
  expect(taken).toEqual(['container a', 'container c']);
  expect(refused.join('\n')).toMatch(/container b.*: 1102 addresses.*\n.*container d.*: 1025 addresses/s);
});

test('of two providers the one of the better rank has the name', () => {
  const etcd: Contribution = { provider: 'etcd', fragments: [{ from: 'key /a', document: upstream('a') }] };
  const { refused } = merged([docker({ from: 'container a', document: upstream('a') }), etcd]);
  expect(refused).toEqual([
    'docker: container a: upstreams.a: upstream `a` is there already, from etcd: key /a',
  ]);
});

test('problems of the file are told as without fragments', () => {
  const { ok, refused } = merged([docker({ from: 'container a', document: upstream('a') })], {
    listeners: [{ name: 'front', address: 'nonsense' }],
  });
  expect({ ok, refused }).toEqual({ ok: false, refused: [] });
});

const yaml = (name: string, address = '10.0.0.2:80'): string =>
  `upstreams:\n  ${name}: { endpoints: ["${address}"] }\n`;

test('what is written in YAML has its lines', () => {
  const { upstreams, refused } = merged([
    etcd(
      written('key /c/a', yaml('a')),
      written('key /c/b', 'upstreams:\n  b:\n    endpoint: ["10.0.0.2:80"]\n'),
      written('key /c/c', 'upstreams: [\n'),
    ),
  ]);
  expect(upstreams).toContain('a');
  expect(refused.toSorted()).toEqual([
    'etcd: key /c/b:3:5: upstreams.b.endpoint: unknown key `endpoint`: did you mean `endpoints`?',
    expect.stringMatching(/^etcd: key \/c\/c:2:1: /),
  ]);
});

test('who does not fit is found among many, where the problem is told at another place', () => {
  const forward = (name: string, listen: string): WrittenFragment =>
    written(`key /c/${name}`, `forwards: [{ listen: "${listen}", target: "10.0.0.2:80" }]`);
  // Which is said of the file's control interface.
  const base = { ...file, admin: { listen: '127.0.0.1:9092' } };
  const fragments = Array.from({ length: 40 }, (_, index) => written(`key /c/a${index}`, yaml(`a${index}`)));
  const all = [
    ...fragments.slice(0, 20),
    forward('fits', '127.0.0.1:9093'),
    forward('taken', '127.0.0.1:9092'),
    ...fragments.slice(20),
  ];
  const { asked, taken, refused } = merged([etcd(...all)], base);
  expect(taken).toEqual(expect.arrayContaining(fragments.map(({ from }) => from)));
  expect(taken).toContain('key /c/fits');
  expect(refused).toEqual([
    expect.stringMatching(
      /^etcd: key \/c\/taken:1:1: does not fit to the configuration: admin.*taken already/,
    ),
  ]);
  expect(asked).toBeLessThan(20);
});

test('whatever fragments say, few validations do', () => {
  let asked = 0;
  // No two of them fit together, and nothing says which.
  const validate = (source: Source): Validated => {
    asked += 1;
    const { upstreams = {} } = source.value as { upstreams?: object };
    if (Object.keys(upstreams).length <= 1) return validateSource(source);
    return { ok: false, problems: [unplaced('it can not be')] };
  };
  const base = documentSource({ protocols: [{ name: 'HTTP', target: '10.0.0.1:80' }] });
  const fragments = Array.from({ length: 200 }, (_, index) => written(`key /c/${index}`, yaml(`a${index}`)));
  const { taken, refused } = mergeContributions(base, [etcd(...fragments)], validate);
  expect(asked).toBeLessThanOrEqual(contributionLimits.searchesMax + 2);
  expect(taken.map((each) => each.fragments.map(({ from }) => from))).toEqual([['key /c/0']]);
  expect(refused).toHaveLength(199);
});

/** Ten times as many with each line: a billion in the end. */
const bomb = [
  'a: &a [x]',
  ...'bcdefghij'.split('').map((name, at) => {
    const before = 'abcdefghi'[at];
    return `${name}: &${name} [${Array(10).fill(`*${before}`).join(', ')}]`;
  }),
]
  .map((line) => `      ${line}`)
  .join('\n');

test.each<[string, string, RegExp]>([
  ['empty', ' \n', /^etcd: key \/c\/x: is empty$/],
  ['a list', '- a\n', /expected a mapping of keys and values, got a list/],
  ['a text', 'hello', /expected a mapping of keys and values, got "hello"/],
  ['two documents', 'upstreams: {}\n---\nupstreams: {}\n', /^etcd: key \/c\/x:2:1: /],
  ['a key that is written twice', 'routes: []\nroutes: []\n', /:2:1: routes: is written twice/],
  ['binary', 'a\u0000b', /:1:2: a NUL byte/],
  ['deep', `${'['.repeat(100_000)}`, /nested deeper than 64 levels/],
  ['many values', `routes: [${'1,'.repeat(30_000)}]`, /is more than 20000 values/],
  ['a bomb', `upstreams:\n  x:\n    endpoints:\n${bomb}\n`, /is more than 20000 values/],
  [
    'a secret',
    `upstreams: { x: { endpoints: ["\${HOST}:80"] } }`,
    /:1:31: upstreams\.x\.endpoints\[0\]: a reference to the environment is replaced in the files of this machine alone/,
  ],
  ['a default', `upstreams: { x: { endpoints: ["\${HOST:-a}:80"] } }`, /a reference to the environment/],
  ['another file', 'include: /etc/passwd\n', /include: is for the file alone, since it names files/],
])('one that is %s is refused at its place; the rest goes on', (_, text, why) => {
  const { ok, upstreams, refused } = merged([
    etcd(written('key /c/good', yaml('good')), written('key /c/x', text)),
  ]);
  expect({ ok, upstreams }).toEqual({ ok: true, upstreams: expect.arrayContaining(['good']) });
  expect(refused.join('\n')).toMatch(why);
  expect(refused.every((line) => line.startsWith('etcd: key /c/x'))).toBe(true);
});

test('of a fragment that is all wrong the first problems are told, and how many more there are', () => {
  const routes = Array(100).fill('{ no: 1 }').join(', ');
  const { refused } = merged([etcd(written('key /c/x', `routes: [${routes}]`))]);
  expect(refused).toHaveLength(contributionLimits.problemsMax + 1);
  expect(refused.at(-1)).toMatch(/^etcd: key \/c\/x: and \d+ more problems$/);
});

test('what is refused is replaced by what it said before; what is deleted is not', () => {
  const before = written('key /c/a as of revision 1', yaml('a'));
  const bad = { ...written('key /c/a', 'upstreams: { a: 5 }'), before };
  const { upstreams, taken, refused } = merged([etcd(bad, written('key /c/b', yaml('b')))]);
  expect(upstreams).toEqual(expect.arrayContaining(['a', 'b']));
  expect(taken).toEqual(['key /c/a as of revision 1', 'key /c/b']);
  expect(refused).toEqual([
    expect.stringMatching(/^etcd: key \/c\/a:1:14: upstreams\.a: expected a mapping/),
  ]);
  const good = { ...written('key /c/a', yaml('other')), before };
  expect(merged([etcd(good)])).toMatchObject({
    upstreams: ['web', 'other', 'mail'],
    taken: ['key /c/a'],
    refused: [],
  });
});

test('where the file permits it a fragment leads to this machine, and never to its sockets', () => {
  const base = { ...file, distributed: { enable: true, etcd_endpoints: ['http://e'], allow_loopback: true } };
  const here = written('key /c/a', yaml('a', '127.0.0.1:80'));
  expect(merged([etcd(here)], base)).toMatchObject({ taken: ['key /c/a'], refused: [] });
  expect(merged([etcd(written('key /c/a', yaml('a', 'unix:/run/a')))], base).taken).toEqual([]);
  const other = {
    provider: 'docker',
    fragments: [
      { from: 'container a', document: upstream('a', { upstreams: { a: { endpoints: ['127.0.0.1:1'] } } }) },
    ],
  } as const;
  expect(merged([other], base).taken).toEqual([]);
});

test('the listener that a file has without a word stays beside the ports of others', () => {
  const base = { protocols: [{ name: 'HTTP', target: '10.0.0.1:80' }] };
  const opens = written('key /c/a', 'forwards: [{ listen: 7878, target: "10.0.0.2:80" }]');
  expect(merged([etcd(opens)], base).listeners).toEqual([':9090', ':7878']);
  const takes = written('key /c/a', 'forwards: [{ listen: 9090, target: "10.0.0.2:80" }]');
  const { listeners, refused } = merged([etcd(takes)], base);
  expect(listeners).toEqual([':9090']);
  expect(refused.join()).toMatch(/^etcd: key \/c\/a.*9090/);
});
