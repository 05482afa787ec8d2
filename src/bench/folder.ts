/** Folders of temporary files, which go with their measurement, or with this process when a signal ends it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface BenchFolder {
  readonly path: string;
  stop(): void;
}

const kept = new Set<string>();

export function createFolder(): BenchFolder {
  if (kept.size === 0) process.once('exit', removeAll);
  const path = mkdtempSync(join(tmpdir(), 'anyport-bench-'));
  kept.add(path);
  return {
    path,
    stop() {
      remove(path);
      if (kept.size === 0) process.off('exit', removeAll);
    },
  };
}

function removeAll(): void {
  for (const path of kept) remove(path);
}

function remove(path: string): void {
  kept.delete(path);
  rmSync(path, { recursive: true, force: true });
}
