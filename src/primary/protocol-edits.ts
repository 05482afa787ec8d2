/** Edits of the section `protocols` of a document. Pure: what an entry may be is checked with the whole document. */
import type { Document } from '../model/config.js';

type Entry = Readonly<Record<string, unknown>>;

export type ProtocolEdit =
  | { readonly kind: 'add'; readonly entry: Entry }
  /** In its place. */
  | { readonly kind: 'replace'; readonly name: string; readonly entry: Entry }
  /** Some keys; null removes one. A target takes the place of a handler, and the other way round. */
  | { readonly kind: 'merge'; readonly name: string; readonly entry: Entry }
  | { readonly kind: 'remove'; readonly name: string };

export type EditFault =
  /** Another protocol has the name. */
  'exists' | 'missing';

/** Names are compared as the configuration does, in any letter case. */
export function editProtocols(document: Document, edit: ProtocolEdit): Document | EditFault {
  const entries = Array.isArray(document.protocols) ? (document.protocols as readonly Entry[]) : [];
  const at = edit.kind === 'add' ? -1 : indexOf(entries, edit.name);
  if (edit.kind !== 'add' && at < 0) return 'missing';
  if (edit.kind === 'remove') return { ...document, protocols: entries.toSpliced(at, 1) };
  const entry = edit.kind === 'merge' ? merged(entries[at] ?? {}, edit.entry) : edit.entry;
  const other = indexOf(entries, entry.name);
  if (other >= 0 && other !== at) return 'exists';
  const protocols = at < 0 ? [...entries, entry] : entries.with(at, entry);
  return { ...document, protocols };
}

function indexOf(entries: readonly Entry[], name: unknown): number {
  const wanted = String(name).toLowerCase();
  return entries.findIndex((entry) => String(entry.name).toLowerCase() === wanted);
}

function merged(entry: Entry, change: Entry): Entry {
  const all = { ...entry, ...replacing(change) };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null));
}

/** A target takes the place of a handler, and the other way round. */
function replacing(change: Entry): Entry {
  const { target = null, handler = null } = change;
  if (target !== null && !('handler' in change)) return { ...change, handler: null };
  if (handler !== null && !('target' in change)) return { ...change, target: null };
  return change;
}
