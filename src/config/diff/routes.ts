/**
 * Routes have no names: they are recognised by their content, else by their conditions, else by their target between
 * two that stayed. Their order decides, so one that overtook others has changed; those it passed have not.
 */

import { listText } from '../../base/text.js';
import type { RouteConfig } from '../../model/config.js';
import type { DiffItem } from '../../model/diff.js';
import type { Conditions } from '../../model/plan.js';
import { valuesOf } from '../../routing/values.js';
import { targetText } from './forms.js';
import { added, changed, changesOf, type Form, removed } from './items.js';
import { inOrder } from './sequence.js';

interface Entry {
  readonly index: number;
  readonly route: RouteConfig;
  readonly when: string;
  readonly to: string;
}

/** Earlier and later place of a route, indices of the two lists. */
type Pairs = Map<number, number>;

export function diffRoutes(before: readonly RouteConfig[], after: readonly RouteConfig[]): DiffItem[] {
  const earlier = before.map(entryOf);
  const later = after.map(entryOf);
  const wasOf: Pairs = new Map();
  pairUp(wasOf, earlier, later, ({ when, to }) => `${when} ${to}`);
  pairUp(wasOf, earlier, later, ({ when }) => when);
  const [gapBefore, gapAfter] = gaps(wasOf, earlier, later);
  pairUp(wasOf, earlier, later, ({ to }, gap) => `${gap} ${to}`, gapBefore, gapAfter);
  const kept = keptOf(wasOf);
  const stayed = new Set(wasOf.values());
  const rankBefore = rankIn([...stayed]);
  const rankAfter = rankIn([...wasOf.keys()]);
  const items = later.flatMap((entry): DiffItem[] => {
    const was = earlier[wasOf.get(entry.index) ?? -1];
    if (was === undefined) return [added('route', formOf(entry.route))];
    const move = { key: 'order', from: rankBefore(was.index), to: rankAfter(entry.index) };
    const moves = kept.has(entry.index) ? [] : [move];
    const isSame = was.when === entry.when && was.to === entry.to;
    if (isSame && moves.length === 0) return [];
    const form = formOf(entry.route);
    return [changed('route', form, [...changesOf(formOf(was.route).fields, form.fields), ...moves])];
  });
  const gone = earlier.filter(({ index }) => !stayed.has(index));
  return [...items, ...gone.map(({ route }) => removed('route', formOf(route)))];
}

const conditionsOf = ({ when }: RouteConfig): [string, unknown][] =>
  Object.entries(when).sort(([a], [b]) => (a < b ? -1 : 1));

function entryOf(route: RouteConfig, index: number): Entry {
  return { route, index, when: JSON.stringify(conditionsOf(route)), to: JSON.stringify(route.to) };
}

function formOf(route: RouteConfig): Form {
  const to = targetText(route.to);
  const conditions = conditionsOf(route).map(([key, value]) => [`when.${key}`, value]);
  return {
    name: route.name,
    about: `${conditionsText(route.when)} → ${to}`,
    fields: { ...Object.fromEntries(conditions), to },
  };
}

function conditionsText(when: Conditions): string {
  const parts = Object.entries(when).map(
    ([key, value]) => `${key} ${listText(valuesOf(value).map(valueText))}`,
  );
  return parts.length === 0 ? 'every session' : parts.join(', ');
}

/** Sets under `not` are mappings. */
const valueText = (value: unknown): string =>
  typeof value === 'object' ? `(${conditionsText(value as Conditions)})` : String(value);

/** Adds pairs of those not paired yet that have the same key: the first with the first, the second with the second. */
function pairUp(
  pairs: Pairs,
  earlier: readonly Entry[],
  later: readonly Entry[],
  keyOf: (entry: Entry, gap: number) => string,
  gapBefore: readonly number[] = [],
  gapAfter: readonly number[] = [],
): void {
  const taken = new Set(pairs.values());
  const free = new Map<string, Entry[]>();
  for (const entry of earlier.toReversed()) {
    if (taken.has(entry.index)) continue;
    const key = keyOf(entry, gapBefore[entry.index] ?? 0);
    const same = free.get(key);
    if (same === undefined) free.set(key, [entry]);
    else same.push(entry);
  }
  for (const entry of later) {
    if (pairs.has(entry.index)) continue;
    const was = free.get(keyOf(entry, gapAfter[entry.index] ?? 0))?.pop();
    if (was !== undefined) pairs.set(entry.index, was.index);
  }
}

/** 1, 2 …: the place among those that are in both configurations. */
function rankIn(indices: readonly number[]): (index: number) => number {
  const ranks = new Map(indices.toSorted((a, b) => a - b).map((index, rank) => [index, rank + 1]));
  return (index) => ranks.get(index) ?? 0;
}

/** Later places of the routes that kept their order. */
function keptOf(wasOf: Pairs): Set<number> {
  const places = [...wasOf.keys()].sort((a, b) => a - b);
  const kept = inOrder(places.map((place) => wasOf.get(place) ?? 0));
  return new Set(places.filter((_, index) => kept.has(index)));
}

/** For each place of both lists, how many kept routes are before it. */
function gaps(wasOf: Pairs, earlier: readonly Entry[], later: readonly Entry[]): [number[], number[]] {
  const kept = keptOf(wasOf);
  const were = new Set([...kept].map((place) => wasOf.get(place)));
  const count = (entries: readonly Entry[], isKept: (index: number) => boolean): number[] => {
    let before = 0;
    return entries.map(({ index }) => (isKept(index) ? before++ : before));
  };
  return [count(earlier, (index) => were.has(index)), count(later, (index) => kept.has(index))];
}
