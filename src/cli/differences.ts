/** Prints the difference between two configurations: a line for each thing, and one for each field that changed. */
import type { DiffItem, FieldChange } from '../model/diff.js';
import { columns } from './columns.js';

/** An item, and how many live sessions it touches where a running daemon was asked; null: it can not be said. */
export type Difference = DiffItem & { readonly sessions?: number | null };

/** Characters of a value that are shown. */
const VALUE_CHARACTERS_MAX = 80;

const signs = { added: '+', removed: '-', changed: '~' } as const;

export function differencesText(items: readonly Difference[]): string {
  if (items.length === 0) return 'no difference\n';
  return `${columns(items.flatMap(rowsOf))}${countsText(items)}\n`;
}

function rowsOf(item: Difference): string[][] {
  const { change, kind, name, upstream, about, fields, sessions = null } = item;
  const live =
    sessions === null || sessions === 0 ? '' : `${sessions} live session${sessions === 1 ? '' : 's'}`;
  const lines = kind === 'setting' ? fields.map(valuesText) : [about, ...fields.map(fieldText)];
  const [first = '', ...rest] = lines.filter((line) => line !== '');
  const whole = upstream === null ? name : `${upstream} ${name}`;
  return [[signs[change], kind, whole, first, live], ...rest.map((line) => ['', '', '', `  ${line}`])];
}

const fieldText = (field: FieldChange): string => `${field.key}: ${valuesText(field)}`;

const valuesText = ({ from, to }: FieldChange): string => `${valueText(from)} → ${valueText(to)}`;

function valueText(value: unknown): string {
  if (value === null) return 'none';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > VALUE_CHARACTERS_MAX ? `${text.slice(0, VALUE_CHARACTERS_MAX)}…` : text;
}

function countsText(items: readonly Difference[]): string {
  const counts = (['added', 'removed', 'changed'] as const).map((change) => {
    const count = items.filter((item) => item.change === change).length;
    return count === 0 ? [] : [`${count} ${change}`];
  });
  return counts.flat().join(', ');
}
