/** The check of what clients send, compared with a library's on random values. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import {
  choice,
  flag,
  integer,
  type JsonSchema,
  list,
  object,
  orNull,
  problemsOf,
  record,
  text,
} from '../../src/admin/schema.js';

const weight = { ...integer(), minimum: 1, maximum: 256 };
const endpoint = object(
  { weight: orNull(weight), state: choice(['up', 'drain']), tags: list(text()), of: record(flag()) },
  { optional: ['weight', 'tags', 'of'] },
);

const cases: { why: string; value: unknown; path: string; says: RegExp }[] = [
  { why: 'another type', value: [], path: '', says: /^expected object$/ },
  { why: 'null', value: null, path: '', says: /^expected object$/ },
  { why: 'a missing key', value: {}, path: 'state', says: /^is missing$/ },
  {
    why: 'an unknown key',
    value: { state: 'up', wait: 1 },
    path: 'wait',
    says: /there is weight, state, tags, of$/,
  },
  {
    why: 'a value of no choice',
    value: { state: 'down' },
    path: 'state',
    says: /^expected one of up, drain$/,
  },
  {
    why: 'too small',
    value: { state: 'up', weight: 0 },
    path: 'weight',
    says: /integer or null of 1 to 256$/,
  },
  {
    why: 'no whole number',
    value: { state: 'up', weight: 1.5 },
    path: 'weight',
    says: /^expected integer or null/,
  },
  { why: 'an item', value: { state: 'up', tags: ['a', 1] }, path: 'tags[1]', says: /^expected string$/ },
  { why: 'an entry', value: { state: 'up', of: { a: 1 } }, path: 'of.a', says: /^expected boolean$/ },
  {
    why: 'a key of every object',
    value: { state: 'up', constructor: 1 },
    path: 'constructor',
    says: /not known/,
  },
];

test.each(cases)('$why: where and what', ({ value, path, says }) => {
  const [problem, ...others] = problemsOf(endpoint, value);
  expect(others).toEqual([]);
  expect(problem).toEqual({ path, message: expect.stringMatching(says) });
});

test('one key of several is needed', () => {
  const some = object({ a: text(), b: text() }, { optional: ['a', 'b'], minProperties: 1 });
  expect(problemsOf(some, {})).toEqual([{ path: '', message: 'needs one of a, b' }]);
  expect(problemsOf(some, { b: '' })).toEqual([]);
});

test('the number of problems is bounded', () => {
  const many = Array.from({ length: 10_000 }, () => 0);
  expect(problemsOf(list(text()), many).length).toBeLessThan(100);
});

describe('any value', () => {
  const library = z.fromJSONSchema(endpoint as Parameters<typeof z.fromJSONSchema>[0]);
  const leaf = fc.oneof(
    fc.integer({ min: -2, max: 300 }),
    fc.double(),
    fc.boolean(),
    fc.constant(null),
    fc.constantFrom('up', 'drain', 'x'),
  );
  const value = fc.record(
    {
      weight: leaf,
      state: leaf,
      tags: fc.oneof(leaf, fc.array(leaf, { maxLength: 3 })),
      of: fc.oneof(leaf, fc.dictionary(fc.constantFrom('a', 'b'), leaf)),
      more: leaf,
    },
    { requiredKeys: [] },
  );

  test('is accepted or refused as zod does', () => {
    fc.assert(
      fc.property(value, (given) => {
        expect(problemsOf(endpoint, given).length === 0).toBe(library.safeParse(given).success);
      }),
    );
  });
});

test('a reference can not be made nullable by mistake', () => {
  const reference: JsonSchema = { $ref: '#/x' };
  expect(() => orNull(reference)).toThrow(/reference/);
});
