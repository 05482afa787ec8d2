/** What another user may do with a file, by owner and permissions alone: access lists and mounts may say otherwise. */
import { statSync } from 'node:fs';
import { dirname } from 'node:path';

/** Of a user: numbers. */
export interface Subject {
  readonly uid: number;
  /** All of its groups. */
  readonly gids: readonly number[];
}

const bits = { read: 4, write: 2, search: 1 } as const;

export type Right = keyof typeof bits;

/** True also for what is not there: another check's business. */
export function mayUse(path: string, right: Right, subject: Subject): boolean {
  const above = foldersOf(path);
  return above.every((folder) => has(folder, 'search', subject)) && has(path, right, subject);
}

/** From the root on, without `path` itself. */
function foldersOf(path: string): string[] {
  const folder = dirname(path);
  return folder === path ? [] : [...foldersOf(folder), folder];
}

function has(path: string, right: Right, { uid, gids }: Subject): boolean {
  try {
    const { uid: owner, gid: group, mode } = statSync(path);
    const shift = owner === uid ? 6 : gids.includes(group) ? 3 : 0;
    return ((mode >> shift) & bits[right]) !== 0;
  } catch {
    return true;
  }
}
