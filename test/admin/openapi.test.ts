/** The OpenAPI document: complete by itself, and what docs/ has. Real answers are compared with it in test/e2e/admin.test.ts. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { errorStatus } from '../../src/admin/answer.js';
import { controlDocs } from '../../src/admin/docs.js';
import { routes } from '../../src/admin/handlers/index.js';
import { type Operation, openApi } from '../../src/admin/openapi.js';
import { schemas } from '../../src/admin/schemas.js';

const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
const document = openApi(routes, version);
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ name: `${method} ${path}`, path, operation })),
);

/** Every value of `$ref`, at any depth. */
function referencesIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    key === '$ref' ? [String(inner)] : referencesIn(inner),
  );
}

test('every reference leads somewhere, and every shape is used', () => {
  const used = referencesIn(document);
  const known = Object.keys(schemas).map((name) => `#/components/schemas/${name}`);
  expect(new Set(used)).toEqual(new Set(known));
});

test('every shape is JSON Schema that a validator takes', () => {
  for (const schema of Object.values(schemas)) {
    const text = JSON.stringify({ ...schema, $defs: schemas }).replaceAll(
      '#/components/schemas/',
      '#/$defs/',
    );
    expect(() => z.fromJSONSchema(JSON.parse(text))).not.toThrow();
  }
});

describe.each(operations)('$name', ({ path, operation }) => {
  test('describes each segment of its path, and no other', () => {
    const segments = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    const parameters = (operation.parameters ?? []) as { name: string; in: string; required?: boolean }[];
    const inPath = parameters.filter((each) => each.in === 'path');
    expect(inPath.map(({ name }) => name)).toEqual(segments);
    expect(inPath.every(({ required }) => required === true)).toBe(true);
  });

  test('has an answer for success, and for what any request may run into', () => {
    const statuses = Object.keys((operation as Operation).responses).map(Number);
    expect(statuses.some((status) => status >= 200 && status < 300)).toBe(true);
    expect(statuses).toEqual(expect.arrayContaining([400, 401, 403, 500]));
    const known = new Set<number>([200, 201, 202, 503, ...Object.values(errorStatus)]);
    expect(statuses.filter((status) => !known.has(status))).toEqual([]);
  });
});

describe('docs/ is as generated: npm run build:ts && node scripts/docs.mjs', () => {
  test('openapi.json', () => expect(JSON.parse(readFileSync('docs/openapi.json', 'utf8'))).toEqual(document));
  test('admin-api.md', () => expect(readFileSync('docs/admin-api.md', 'utf8')).toBe(controlDocs()));
});
