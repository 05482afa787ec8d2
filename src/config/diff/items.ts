/** Items of a difference, from things in a form that can be compared and shown. */
import type { DiffItem, DiffKind, FieldChange } from '../../model/diff.js';

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
    .filter((field) => JSON.stringify(field.from) !== JSON.stringify(field.to));
}

/** Compared by name: in the later order, then what went. Names are unique on each side. */
export function diffNamed(
  kind: DiffKind,
  before: readonly Form[],
  after: readonly Form[],
  upstream: string | null = null,
): DiffItem[] {
  const earlier = new Map(before.map((form) => [form.name, form]));
  const later = new Set(after.map(({ name }) => name));
  const items = after.flatMap((form): DiffItem[] => {
    const was = earlier.get(form.name);
    if (was === undefined) return [added(kind, form, upstream)];
    const fields = changesOf(was.fields, form.fields);
    return fields.length === 0 ? [] : [changed(kind, form, fields, upstream)];
  });
  const gone = before.filter(({ name }) => !later.has(name));
  return [...items, ...gone.map((form) => removed(kind, form, upstream))];
}
