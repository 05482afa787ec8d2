/** Schema fields for the own keys of checks: format, message and documentation in one place. */
import type { z } from 'zod';
import type { Zod } from './check.js';

const SHOWN_MAX = 60;

const expecting = (expected: string) => ({
  error: ({ input }: { input?: unknown }) =>
    input === undefined ? `missing: expected ${expected}` : `expected ${expected}, got ${shown(input)}`,
});

function shown(input: unknown): string {
  if (input === null) return 'nothing';
  if (Array.isArray(input)) return input.length === 0 ? 'an empty list' : 'a list';
  return typeof input === 'object' ? 'a mapping' : JSON.stringify(input).slice(0, SHOWN_MAX);
}

const documented = <Schema extends z.ZodType>(schema: Schema, meaning: string, values: string): Schema =>
  schema.meta({ description: meaning, 'x-values': values });

/** `values`: what to write, in words. `isRight`: a further condition. */
export function textField(
  zod: Zod,
  meaning: string,
  values: string,
  isRight: (text: string) => boolean = () => true,
) {
  const wrong = expecting(values);
  return documented(zod.string(wrong).refine(isRight, wrong), meaning, values);
}

export function integerField(zod: Zod, meaning: string, min: number, max: number) {
  const wrong = expecting(`a whole number from ${min} to ${max}`);
  return documented(zod.int(wrong).min(min, wrong).max(max, wrong), meaning, `${min} to ${max}`);
}

export const flagField = (zod: Zod, byDefault: boolean, meaning: string) =>
  documented(zod.boolean(expecting('true or false')).default(byDefault), meaning, 'true, false');

/** One of a few words. */
export function choiceField<const Names extends readonly [string, ...string[]]>(
  zod: Zod,
  names: Names,
  meaning: string,
) {
  const listed = names.map((name) => `\`${name}\``).join(', ');
  return documented(zod.enum(names, expecting(`one of ${listed}`)), meaning, listed);
}

/** A list, or one item without brackets. An empty one would be right for nothing. */
export function listField<Item extends z.ZodType>(zod: Zod, item: Item, meaning: string, values: string) {
  const wrong = expecting(`${values}, or a list`);
  const schema = zod.union([item.transform((one) => [one]), zod.array(item).min(1, wrong)], wrong);
  return documented(schema, meaning, `${values}, or a list`);
}
