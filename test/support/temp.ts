/** Temporary folders, removed after the tests. */
import { mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface TempFolder {
  readonly path: string;
  remove(): void;
}

export const tempFolder = (): TempFolder => folderIn(tmpdir());

/** In memory where there is room for it: what is written at once and soon removed costs a disk much time. */
export const quickFolder = (bytes: number): TempFolder =>
  folderIn(hasRoom(MEMORY, bytes) ? MEMORY : tmpdir());

const MEMORY = '/dev/shm';

function hasRoom(folder: string, bytes: number): boolean {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize > bytes;
  } catch {
    return false;
  }
}

function folderIn(parent: string): TempFolder {
  const path = mkdtempSync(join(parent, 'anyport-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}
