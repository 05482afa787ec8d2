/** Fragments of providers beside the file: what is taken, what is refused and why. */
import { expect, test } from 'vitest';
import { mergeContributions } from '../../src/config/contributions/index.js';
import { documentSource } from '../../src/config/document.js';
import { formatProblem } from '../../src/config/report.js';
import type { Source } from '../../src/config/source.js';
import type { Contribution, Fragment } from '../../src/providers/contribution.js';
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

function merged(contributions: readonly Contribution[], base: object = file) {
  let asked = 0;
  const validate = (source: Source) => {
    asked += 1;
    return validateSource(source);
  };
  const { validated, refused } = mergeContributions(documentSource(base), contributions, validate);
  const config = validated.ok ? validated.config : null;
  return {
    ok: validated.ok,
    asked,
    upstreams: config?.upstreams.map(({ name }) => name) ?? [],
    routes: config?.routes.map(({ when }) => when) ?? [],
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
  ['a listener', { listeners: [{ name: 'x', address: ':1' }] }, /listeners: is for the file alone/],
  ['the control interface', { admin: { listen: ':1' } }, /admin: is for the file alone/],
  ['code', { upstreams: { x: { handler: './x.js' } } }, /upstreams\.x\.handler: names code or a file/],
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

test('of two providers the one of the better rank has the name', () => {
  const etcd: Contribution = { provider: 'etcd', fragments: [{ from: 'key /a', document: upstream('a') }] };
  const { refused } = merged([docker({ from: 'container a', document: upstream('a') }), etcd]);
  expect(refused).toEqual(['docker: container a: upstreams.a: upstream `a` is there already, from etcd']);
});

test('problems of the file are told as without fragments', () => {
  const { ok, refused } = merged([docker({ from: 'container a', document: upstream('a') })], {
    listeners: [{ name: 'front', address: 'nonsense' }],
  });
  expect({ ok, refused }).toEqual({ ok: false, refused: [] });
});
