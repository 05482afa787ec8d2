/** Items of a difference, from things in a form that can be compared and shown. */
import type { DiffItem, DiffKind, FieldChange } from '../../model/diff.js';
import { secretKeys, secretUrls, withoutCredentials } from '../secret-keys.js';

/** A thing as it is compared and shown: keys and values in the file's form. */
export interface Form {
  readonly name: string;
  /** One line: what it is. */
  readonly about: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export function added(kind: DiffKind, { name, about }: Form, upstream: string | null = null): DiffItem {
  return { kind, name, upstream, change: 'added', about, fields: [] };
}

export function removed(kind: DiffKind, { name, about }: Form, upstream: string | null = null): DiffItem {
  return { kind, name, upstream, change: 'removed', about, fields: [] };
}

export function changed(
  kind: DiffKind,
  { name, about }: Form,
  fields: readonly FieldChange[],
  upstream: string | null = null,
): DiffItem {
  return { kind, name, upstream, change: 'changed', about, fields };
}

/** Fields that differ. */
export function changesOf(from: Form['fields'], to: Form['fields']): FieldChange[] {
  const keys = new Set([...Object.keys(from), ...Object.keys(to)]);
  return [...keys]
    .map((key) => ({ key, from: from[key] ?? null, to: to[key] ?? null }))
    .filter((field) => JSON.stringify(field.from) !== JSON.stringify(field.to))
    .map(({ key, from, to }) => ({ key, from: veiled(key, from), to: veiled(key, to) }));
}

/** Secrets are compared and never shown. */
function veiled(key: string, value: unknown): unknown {
  if (value === null) return null;
  if (SECRET_FIELDS.includes(key)) return '(a secret)';
  const isUrl = typeof value === 'string' && fieldsOf(secretUrls).includes(key);
  return isUrl ? withoutCredentials(value) : value;
}

/** Of upstreams, profiles and users, flattened. */
function fieldsOf(patterns: readonly string[]): string[] {
  return patterns.flatMap(
    (pattern) => /^(?:upstreams|kcp|connect_proxy\.users)\.\*\.(.+)$/.exec(pattern)?.slice(1) ?? [],
  );
}

/** The content of `private_key_file`, too. */
const SECRET_FIELDS = [...fieldsOf(secretKeys), 'private_key'];

/** Whether two parts of configurations, plain data, are the same; cheaper than their forms. */
export const isSame = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

interface Named {
  readonly name: string;
}

/** Compared by name: in the later order, then what went. Names are unique on each side. */
export function diffNamed<Thing extends Named>(
  kind: DiffKind,
  before: readonly Thing[],
  after: readonly Thing[],
  formOf: (thing: Thing, index: number, side: 'before' | 'after') => Form,
  upstream: string | null = null,
): DiffItem[] {
  const earlier = new Map(before.map((thing, index) => [thing.name, { thing, index }]));
  const later = new Set(after.map(({ name }) => name));
  const items = after.flatMap((thing, index): DiffItem[] => {
    const was = earlier.get(thing.name);
    const form = formOf(thing, index, 'after');
    if (was === undefined) return [added(kind, form, upstream)];
    const fields = changesOf(formOf(was.thing, was.index, 'before').fields, form.fields);
    return fields.length === 0 ? [] : [changed(kind, form, fields, upstream)];
  });
  const gone = before.flatMap((thing, index) =>
    later.has(thing.name) ? [] : [removed(kind, formOf(thing, index, 'before'), upstream)],
  );
  return [...items, ...gone];
}
