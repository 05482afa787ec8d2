/** The conditions of routes: the table is also the configuration's vocabulary under `when`. */
import assert from 'node:assert/strict';
import type { Conditions } from '../../model/plan.js';
import { anyPlace, anySession } from '../any-of.js';
import type { Condition, Extent, FactKey, Key, Place, PlanIndices, Test } from '../condition.js';
import { isAt, meetingPlace } from '../place.js';
import { valuesOf } from '../values.js';
import { alpn } from './alpn.js';
import { host } from './host.js';
import { listener } from './listener.js';
import { path } from './path.js';
import { protocol } from './protocol.js';
import { sni } from './sni.js';
import { source } from './source.js';

export const conditions = {
  protocol: anyPlace(protocol),
  listener: anyPlace(listener),
  sni: anySession(sni),
  alpn: anySession(alpn),
  host: anySession(host),
  path: anySession(path),
  source: anySession(source),
} as const;

export type ConditionName = keyof typeof conditions;

type Kind = Condition<unknown, unknown>;

/** A compiled condition. */
export interface RouteTest {
  readonly name: ConditionName;
  readonly reads: Kind['reads'];
  readonly test: Test;
  readonly key: Key | null;
  /** Null if the condition reads the source or facts. */
  readonly place: Place | null;
}

interface Entry {
  readonly name: ConditionName;
  readonly kind: Kind;
  /** As in the file or as compiled: one value or a list. */
  readonly value: unknown;
}

/** Erases the value types, which only each kind itself needs. */
function entriesOf(when: Conditions): Entry[] {
  return Object.entries(when)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => {
      const name = key as ConditionName;
      return { name, kind: conditions[name] as Kind, value };
    });
}

// ---- conditions of the Plan

export function createTests(when: Conditions): RouteTest[] {
  return entriesOf(when).map(({ name, kind, value }) => {
    const { reads } = kind;
    if (kind.reads !== 'place')
      return { name, reads, test: kind.create(value), key: kind.key?.(value) ?? null, place: null };
    const place = kind.place(value);
    const test: Test = ({ listener, protocol }) => (isAt(place, listener, protocol) ? 'yes' : 'no');
    return { name, reads, test, key: null, place };
  });
}

/** Listeners and protocols whose sessions the route can take. */
export function placeOf(when: Conditions): Place {
  return meetingPlace(
    entriesOf(when).flatMap(({ kind, value }) => (kind.reads === 'place' ? kind.place(value) : [])),
  );
}

// ---- conditions as in the file

export function compileConditions(when: Conditions, indices: PlanIndices): Conditions {
  const compiled = entriesOf(when).map(({ name, kind, value }) => [name, kind.compile(value, indices)]);
  return Object.fromEntries(compiled) as Conditions;
}

export interface AskedFact {
  readonly condition: ConditionName;
  readonly key: FactKey;
}

/** Facts that the conditions depend on. */
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
  entriesOf(when).every(({ kind }) => kind.reads === 'place');

/** Conditions prepared for comparison; `names` sorted. */
export interface Extents {
  readonly names: readonly ConditionName[];
  readonly of: { readonly [Name in ConditionName]?: readonly Extent[] };
  /** How many values the conditions have together. */
  readonly size: number;
}

export function extentsOf(when: Conditions): Extents {
  const entries = entriesOf(when).map(({ name, kind, value }): [ConditionName, Extent[]] => [
    name,
    valuesOf(value).map((each) => kind.extent?.(each) ?? itself(each)),
  ]);
  const size = entries.reduce((sum, [, extents]) => sum + extents.length, 0);
  return {
    names: entries.map(([name]) => name).toSorted((a, b) => (a < b ? -1 : 1)),
    of: Object.fromEntries(entries),
    size,
  };
}

/** Default `extent`. */
function itself(value: unknown): Extent & { readonly value: unknown } {
  return { value, includes: (narrow: Extent & { readonly value?: unknown }) => narrow.value === value };
}

/**
 * Whether `wide` holds for every session for which `narrow` does: every value of `narrow` is in one of `wide`. False
 * where only several together would include it.
 */
export const covers = (wide: Extents, narrow: Extents): boolean =>
  wide.names.every((name) => {
    const outer = wide.of[name] ?? [];
    return narrow.of[name]?.every((inner) => outer.some((each) => each.includes(inner))) ?? false;
  });
