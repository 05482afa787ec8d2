/** The conditions a route may have: the table is also the configuration's vocabulary under `when`. */
import assert from 'node:assert/strict';
import type { Conditions } from '../../model/plan.js';
import type { Condition, FactKey, Key, Place, PlanIndices, Test } from '../condition.js';
import { isAt, meetingPlace } from '../place.js';
import { alpn } from './alpn.js';
import { host } from './host.js';
import { listener } from './listener.js';
import { protocol } from './protocol.js';
import { sni } from './sni.js';
import { source } from './source.js';

export const conditions = { protocol, listener, sni, alpn, host, source } as const;

export type ConditionName = keyof typeof conditions;

type Kind = Condition<unknown, unknown>;

/** A test ready to be asked, with what it looks at. */
export interface RouteTest {
  readonly name: ConditionName;
  readonly reads: Kind['reads'];
  readonly test: Test;
  readonly key: Key | null;
  /** Null for one that looks at the session. */
  readonly place: Place | null;
}

interface Entry {
  readonly name: ConditionName;
  readonly kind: Kind;
  /** As written or as compiled. */
  readonly value: unknown;
}

/** Each kind knows its own types; whoever walks the table does not need to. */
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

/** The sessions that a route may take, as far as listener and protocol say. */
export function placeOf(when: Conditions): Place {
  return meetingPlace(
    entriesOf(when).flatMap(({ kind, value }) => (kind.reads === 'place' ? kind.place(value) : [])),
  );
}

// ---- conditions as the file has them

export function compileConditions(when: Conditions, indices: PlanIndices): Conditions {
  const compiled = entriesOf(when).map(({ name, kind, value }) => [name, kind.compile(value, indices)]);
  return Object.fromEntries(compiled) as Conditions;
}

export interface AskedFact {
  readonly condition: ConditionName;
  readonly key: FactKey;
}

/** What clients have to say for the conditions to hold. */
export function factsAsked(when: Conditions): AskedFact[] {
  return entriesOf(when).flatMap(({ name, kind, value }) => {
    const key = kind.reads === 'facts' ? kind.key?.(kind.compile(value, noIndices)) : undefined;
    return key?.kind === 'fact' ? [{ condition: name, key }] : [];
  });
}

/** Facts are the same in every Plan. */
const noIndices: PlanIndices = {
  protocol: (name) => assert.fail(`a condition on facts names protocol ${name}`),
  listener: (name) => assert.fail(`a condition on facts names listener ${name}`),
};

/** Whether listener and protocol alone settle it. */
export const readsPlaceAlone = (when: Conditions): boolean =>
  entriesOf(when).every(({ kind }) => kind.reads === 'place');

/** Tells of others whether these conditions hold for all sessions for which those do. */
export function createCover(when: Conditions): (narrow: Conditions) => boolean {
  const covers = entriesOf(when).map(({ name, kind, value }) => {
    const holds = kind.covers?.(value) ?? lists(value);
    return (narrow: Conditions) => narrow[name] !== undefined && holds(narrow[name]);
  });
  return (narrow) => covers.every((holds) => holds(narrow));
}

/** One value, or several of which any does. */
function lists(wide: unknown): (narrow: unknown) => boolean {
  const isListed = Array.isArray(wide)
    ? (value: unknown) => wide.includes(value)
    : (value: unknown) => value === wide;
  return (narrow) => (Array.isArray(narrow) ? narrow.every(isListed) : isListed(narrow));
}
