/** What takes of a resource, as rows of a table: how many there are, and how much each takes. Pure. */
import { countText } from '../base/figures.js';

export interface Need<Demand> {
  /** Plural, for it is printed behind a number: `connections`. */
  readonly name: string;
  readonly count: (demand: Demand) => number;
  /** What one of them takes. */
  readonly each: number | ((demand: Demand) => number);
  readonly why: string;
  /** The key that lowers it. */
  readonly key?: string;
}

/** A need of a configuration. */
export interface Item {
  readonly name: string;
  readonly count: number;
  readonly each: number;
  readonly needed: number;
  readonly why: string;
  readonly key?: string;
}

/** Those that take something. */
export function itemsOf<Demand>(needs: readonly Need<Demand>[], demand: Demand): Item[] {
  return needs
    .map(({ name, count, each, why, key }) => {
      const [many, one] = [count(demand), typeof each === 'number' ? each : each(demand)];
      return { name, count: many, each: one, needed: many * one, why, ...(key && { key }) };
    })
    .filter(({ needed }) => needed > 0);
}

export const totalOf = (items: readonly Item[]): number => items.reduce((sum, { needed }) => sum + needed, 0);

/** `1,024 connections x 2`; of what takes one each, or is one, the product says enough. */
export const itemText = ({ name, count, each, needed }: Item): string =>
  each === 1 || count === 1
    ? `${countText(needed)} ${name}`
    : `${countText(count)} ${name} x ${countText(each)}`;

/** The largest first. */
export const itemsText = (items: readonly Item[]): string =>
  items
    .toSorted((one, other) => other.needed - one.needed)
    .map(itemText)
    .join(', ');
