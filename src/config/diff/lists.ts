/** Lists of networks as they are compared and shown: the first entries, and the number of the others. */
import { createHash } from 'node:crypto';
import { type ListsConfig, listKeys } from '../../model/config.js';

const SHOWN_MAX = 8;

/** By key of the file. Null: empty. */
export function listFields(lists: ListsConfig): Record<string, readonly string[] | null> {
  const names = ['trusted', 'denied', 'allowed'] as const;
  const fields = names.flatMap((name) => [
    [listKeys[name], shownList(lists[name].networks)],
    [`${listKeys[name]}_files`, shownList(lists[name].files.map(({ path }) => path))],
  ]);
  return Object.fromEntries(fields) as Record<string, readonly string[] | null>;
}

/** The digest is that of all: two long lists that differ are shown as different ones. */
export function shownList(entries: readonly string[]): readonly string[] | null {
  if (entries.length === 0) return null;
  if (entries.length <= SHOWN_MAX) return entries;
  const digest = createHash('sha256').update(entries.join(' ')).digest('hex').slice(0, 8);
  return [...entries.slice(0, SHOWN_MAX), `… ${entries.length - SHOWN_MAX} more (${digest})`];
}
