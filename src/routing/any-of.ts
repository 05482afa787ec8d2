/**
 * Makes a condition on one value a condition on one value or a list, of which any may hold. Applied to the whole table
 * (conditions/index.ts), so that each condition is written for one value.
 */
import assert from 'node:assert/strict';
import type {
  Answer,
  Condition,
  Key,
  Place,
  PlaceCondition,
  RouteSession,
  SessionCondition,
  Test,
  Zod,
} from './condition.js';
import { shown } from './expected.js';
import { Lookup } from './lookup.js';
import { eitherPlace } from './place.js';
import { compact, type OneOrMore, valuesOf } from './values.js';

/** Values of one condition. */
export const VALUES_MAX = 10_000;

/** Up to so many values are tested one by one; an index of more is worth its memory. */
const TESTED_MAX = 8;

export type ListedPlace<Option, Data> = PlaceCondition<OneOrMore<Option>, OneOrMore<Data>>;
export type ListedSession<Option, Data> = SessionCondition<OneOrMore<Option>, OneOrMore<Data>>;

/** Of all but `extent`, which stays that of one value. */
export function anyPlace<Option, Data>(kind: PlaceCondition<Option, Data>): ListedPlace<Option, Data> {
  return {
    ...listed(kind),
    reads: 'place',
    place: (data) => eitherPlace(valuesOf(data).map((value): Place => kind.place(value))),
  };
}

export function anySession<Option, Data>(kind: SessionCondition<Option, Data>): ListedSession<Option, Data> {
  const { key } = kind;
  const keyOf = key && ((data: OneOrMore<Data>) => joined(valuesOf(data).map((value) => key(value))));
  return {
    ...listed(kind),
    reads: kind.reads,
    create: (data) => anyTest(kind, valuesOf(data)),
    ...(keyOf && { key: keyOf }),
  };
}

function listed<Option, Data>(kind: Condition<Option, Data>) {
  const { extent } = kind;
  return {
    options: (z: Zod) => oneOrMore(z, kind.options(z)),
    compile: (options: OneOrMore<Option>, indices: Parameters<typeof kind.compile>[1]) =>
      compact(valuesOf(options).map((option) => kind.compile(option, indices))),
    ...(extent && { extent: (option: OneOrMore<Option>) => extent(option as Option) }),
  };
}

// ---- in the file

function oneOrMore<Option>(z: Zod, one: ReturnType<Condition<Option, unknown>['options']>) {
  const list = z
    .array(one)
    .nonempty({ error: 'an empty list holds for no session: leave the condition out to accept any value' })
    .max(VALUES_MAX, { error: `at most ${VALUES_MAX} values` })
    // Its keys, if it has any, are those of one value.
    .meta({ 'x-like': 'one value' });
  const { description, 'x-values': values = 'text' } = one.meta() ?? {};
  return z
    .union([one, list], { error: ({ input }) => wrongKind(one, input) })
    .meta({ description, 'x-values': `${String(values)}, or a list` });
}

/** Neither a value nor a list: what is said of a wrong value. */
function wrongKind(one: ReturnType<Condition<unknown, unknown>['options']>, input: unknown): string {
  return one.safeParse(input).error?.issues[0]?.message ?? `got ${shown(input)}`;
}

// ---- in sessions

function anyTest<Option, Data>(kind: SessionCondition<Option, Data>, values: readonly Data[]): Test {
  const tests = values.map((value) => kind.create(value));
  const [first] = tests;
  if (first !== undefined && tests.length === 1) return first;
  if (kind.key === undefined || tests.length <= TESTED_MAX) return (session) => any(tests, session);
  return indexedTest(
    tests,
    values.map((value) => kind.key?.(value) as Key),
  );
}

/** `more` never depends on the value, only on what has not come yet. */
function any(tests: readonly Test[], session: RouteSession): Answer {
  let answer: Answer = 'no';
  for (const test of tests) {
    const one = test(session);
    if (one === 'yes' || one === 'more') return one;
    if (one === 'refuse') answer = one;
  }
  return answer;
}

/** Asks only the values whose key the session has. */
function indexedTest(tests: readonly Test[], keys: readonly Key[]): Test {
  const items = tests.map((test, order) => ({ test, order, keys: [keys[order] as Key] }));
  const lookup = new Lookup(items);
  const [first] = tests;
  const [key] = keys;
  assert(first !== undefined && key !== undefined);
  return (session) => {
    // Then no value is looked at, so one answers for all.
    if (key.kind === 'fact' && (session.broken || session.doubtful.includes(key.fact))) return first(session);
    let answer: Answer = 'no';
    for (const list of lookup.find(session)) {
      for (const { test } of list) {
        const one = test(session);
        if (one === 'yes' || one === 'more') return one;
        if (one === 'refuse') answer = one;
      }
    }
    return answer;
  };
}

/** The key of a list: that of its values together. All are of one kind and fact. */
function joined(keys: readonly Key[]): Key {
  const [first] = keys;
  assert(first !== undefined, 'a condition has a value');
  if (keys.length === 1) return first;
  if (first.kind === 'source') {
    return { ...first, networks: keys.flatMap((key) => (key.kind === 'source' ? key.networks : [])) };
  }
  return { ...first, names: keys.flatMap((key) => (key.kind === 'fact' ? key.names : [])) };
}
