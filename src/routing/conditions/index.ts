/** The conditions of routes: the table is also the configuration's vocabulary under `when`. */
import assert from 'node:assert/strict';
import type { Conditions } from '../../model/plan.js';
import { all, notAll } from '../answers.js';
import { anyPlace, anySession } from '../any-of.js';
import type { Condition, Extent, FactKey, Key, Place, PlanIndices, Test } from '../condition.js';
import { meetingPlace, placeAnswer } from '../place.js';
import { compact, type OneOrMore, valuesOf } from '../values.js';
import { alpn } from './alpn.js';
import { clientId } from './client-id.js';
import { database } from './database.js';
import { host } from './host.js';
import { listener } from './listener.js';
import { method } from './method.js';
import { path } from './path.js';
import { protocol } from './protocol.js';
import { sni } from './sni.js';
import { source } from './source.js';
import { time } from './time.js';
import { user } from './user.js';

export const conditions = {
  protocol: anyPlace(protocol),
  listener: anyPlace(listener),
  sni: anySession(sni),
  alpn: anySession(alpn),
  host: anySession(host),
  method: anySession(method),
  path: anySession(path),
  user: anySession(user),
  database: anySession(database),
  client_id: anySession(clientId),
  source: anySession(source),
  time: anySession(time),
} as const;

export type ConditionName = keyof typeof conditions;

type Kind = Condition<unknown, unknown>;

/** A compiled condition, or all that `not` excludes. */
export interface RouteTest {
  readonly name: ConditionName | typeof NOT;
  /** `not`: the last thing that one of its conditions reads. */
  readonly reads: Kind['reads'];
  readonly test: Test;
  readonly key: Key | null;
  /** Null if the condition reads anything else. */
  readonly place: Place | null;
}

/** Order in which conditions are asked: a `no` spares those behind it. */
export const readsInOrder: readonly Kind['reads'][] = ['place', 'source', 'clock', 'facts'];

const NOT = 'not';

/** The sets of conditions under `not`, none of which may hold. */
export const excludedBy = (when: Conditions): readonly Conditions[] =>
  valuesOf(when[NOT] as OneOrMore<Conditions> | undefined);

/** The same conditions with other sets under `not`. */
export function withExcluded(when: Conditions, sets: readonly Conditions[]): Conditions {
  const { [NOT]: _, ...own } = when;
  return sets.length === 0 ? own : { ...own, [NOT]: compact(sets) };
}

interface Entry {
  readonly name: ConditionName;
  readonly kind: Kind;
  /** As in the file or as compiled: one value or a list. */
  readonly value: unknown;
}

/** Without `not`. Erases the value types, which only each kind itself needs. */
function entriesOf(when: Conditions): Entry[] {
  return Object.entries(when)
    .filter(([key, value]) => key !== NOT && value !== undefined)
    .map(([key, value]) => {
      const name = key as ConditionName;
      return { name, kind: conditions[name] as Kind, value };
    });
}

// ---- conditions of the Plan

/** All of them must hold. */
export function createTests(when: Conditions): RouteTest[] {
  const own = createOwnTests(when);
  const sets = excludedBy(when).map(createOwnTests);
  if (sets.length === 0) return own;
  const reads = readsInOrder.findLast((part) => sets.flat().some((test) => test.reads === part));
  const tests = sets.map((set) => notAll(set.map(({ test }) => test)));
  const test: Test = (session) => all(tests, session);
  return [...own, { name: NOT, reads: reads ?? 'place', test, key: null, place: null }];
}

/** Without `not`. */
export function createOwnTests(when: Conditions): RouteTest[] {
  return entriesOf(when).map(({ name, kind, value }) => {
    const { reads } = kind;
    if (kind.reads !== 'place')
      return { name, reads, test: kind.create(value), key: kind.key?.(value) ?? null, place: null };
    const place = kind.place(value);
    const test: Test = (session) => placeAnswer(place, session);
    return { name, reads, test, key: null, place };
  });
}

/** Listeners and protocols whose sessions the route can take, but for what `not` excludes. */
export function placeOf(when: Conditions): Place {
  return meetingPlace(
    entriesOf(when).flatMap(({ kind, value }) => (kind.reads === 'place' ? kind.place(value) : [])),
  );
}

// ---- conditions as in the file

export function compileConditions(when: Conditions, indices: PlanIndices): Conditions {
  const compiled = entriesOf(when).map(({ name, kind, value }) => [name, kind.compile(value, indices)]);
  const sets = excludedBy(when).map((set) => compileConditions(set, indices));
  return withExcluded(Object.fromEntries(compiled) as Conditions, sets);
}

export interface AskedFact {
  readonly condition: ConditionName;
  readonly key: FactKey;
}

/** Facts that the conditions depend on, without those under `not`. */
export function factsAsked(when: Conditions): AskedFact[] {
  return entriesOf(when).flatMap(({ name, kind, value }) => {
    const key = kind.reads === 'facts' ? kind.key?.(kind.compile(value, noIndices)) : undefined;
    return key?.kind === 'fact' ? [{ condition: name, key }] : [];
  });
}

/** Conditions on facts do not depend on indices. */
const noIndices: PlanIndices = {
  protocol: (name) => assert.fail(`a condition on facts names protocol ${name}`),
  listener: (name) => assert.fail(`a condition on facts names listener ${name}`),
};

/** Whether listener and protocol alone decide the conditions. */
export const readsPlaceAlone = (when: Conditions): boolean =>
  entriesOf(when).every(({ kind }) => kind.reads === 'place') && excludedBy(when).every(readsPlaceAlone);

/** Conditions prepared for comparison; `names` sorted. */
export interface Extents {
  readonly names: readonly ConditionName[];
  readonly of: { readonly [Name in ConditionName]?: readonly Extent[] };
  readonly excluded: readonly Extents[];
  /** How many values the conditions have together. */
  readonly size: number;
}

export function extentsOf(when: Conditions): Extents {
  const entries = entriesOf(when).map(({ name, kind, value }): [ConditionName, Extent[]] => [
    name,
    valuesOf(value).map((each) => kind.extent?.(each) ?? itself(each)),
  ]);
  const excluded = excludedBy(when).map(extentsOf);
  const own = entries.reduce((sum, [, extents]) => sum + extents.length, 0);
  const size = excluded.reduce((sum, set) => sum + set.size, own);
  return {
    names: entries.map(([name]) => name).toSorted((a, b) => (a < b ? -1 : 1)),
    of: Object.fromEntries(entries),
    excluded,
    size,
  };
}

/** Default `extent`. */
function itself(value: unknown): Extent & { readonly value: unknown } {
  return { value, includes: (narrow: Extent & { readonly value?: unknown }) => narrow.value === value };
}

/**
 * Whether `wide` holds for every session for which `narrow` does: every value of `narrow` is in one of `wide`, and all
 * that `wide` excludes is excluded by `narrow`. False where only several together would include it.
 */
export const covers = (wide: Extents, narrow: Extents): boolean =>
  coversOwn(wide, narrow) &&
  wide.excluded.every((out) => narrow.excluded.some((each) => coversOwn(each, out)));

const coversOwn = (wide: Extents, narrow: Extents): boolean =>
  wide.names.every((name) => {
    const outer = wide.of[name] ?? [];
    return narrow.of[name]?.every((inner) => outer.some((each) => each.includes(inner))) ?? false;
  });

/** Whether one set under `not` takes away all that the other conditions leave. */
export const excludesAll = (extents: Extents): boolean =>
  extents.excluded.some((out) => coversOwn(out, extents));
