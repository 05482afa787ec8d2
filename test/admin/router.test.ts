import { describe, expect, test } from 'vitest';
import { json } from '../../src/admin/answer.js';
import { routes } from '../../src/admin/handlers/index.js';
import { findRoute, type Route } from '../../src/admin/router.js';

const route = (method: Route['method'], path: string): Route => ({
  method,
  path,
  id: `${method} ${path}`,
  summary: '',
  answers: {},
  handle: () => json(200, {}),
});

const table = [
  route('GET', '/'),
  route('GET', '/things'),
  route('POST', '/things'),
  route('DELETE', '/things/{name}'),
  route('PATCH', '/things/{name}/parts/{part}'),
];

const cases = [
  { method: 'GET', path: '/', found: 'GET /', params: {} },
  { method: 'HEAD', path: '/things', found: 'GET /things', params: {} },
  { method: 'DELETE', path: '/things/a', found: 'DELETE /things/{name}', params: { name: 'a' } },
  {
    method: 'PATCH',
    path: '/things/a%20b/parts/unix%3A%2Frun%2Fa.sock',
    found: 'PATCH /things/{name}/parts/{part}',
    params: { name: 'a b', part: 'unix:/run/a.sock' },
  },
  {
    method: 'PATCH',
    path: '/things/a/parts/10.0.0.1:80',
    found: 'PATCH /things/{name}/parts/{part}',
    params: { name: 'a', part: '10.0.0.1:80' },
  },
];

describe('a route', () => {
  test.each(cases)('$method $path', ({ method, path, found, params }) => {
    const answer = findRoute(table, method, path);
    expect(answer).toMatchObject({ kind: 'route', params });
    expect(answer.kind === 'route' && answer.route.id).toBe(found);
  });
});

test.each([
  { method: 'PUT', path: '/things', allow: ['GET', 'HEAD', 'POST'] },
  { method: 'GET', path: '/things/a', allow: ['DELETE'] },
  { method: 'OPTIONS', path: '/', allow: ['GET', 'HEAD'] },
])('$method $path: the method is refused, with those that are possible', ({ method, path, allow }) => {
  expect(findRoute(table, method, path)).toEqual({ kind: 'method', allow });
});

test.each(['', '*', '/thing', '/things/', '/things/a/', '/things//parts/b', '/things/a/parts/b/c', '//'])(
  'nothing is at %j',
  (path) => {
    expect(findRoute(table, 'GET', path)).toEqual({ kind: 'nothing' });
  },
);

test.each(['/things/%', '/things/%zz', '/things/%ff'])('%s has a malformed escape', (path) => {
  expect(findRoute(table, 'DELETE', path)).toEqual({ kind: 'malformed' });
});

test('no two routes are for the same request, and no two have the same name', () => {
  const shapes = routes.map(({ method, path }) => `${method} ${path.replace(/\{\w+\}/g, '{}')}`);
  expect(new Set(shapes).size).toBe(shapes.length);
  expect(new Set(routes.map(({ id }) => id)).size).toBe(routes.length);
});
