/** What a path names, before it is imported: a thread that reads a device or a pipe as a module can not be stopped. */
import { statSync } from 'node:fs';

/** A longer file is no module: threads would read it into memory whole. */
export const MODULE_BYTES_MAX = 16 * 1024 ** 2;

export type FileKind = 'module' | 'none' | 'too_large' | 'other';

export function fileKind(path: string): FileKind {
  try {
    const stats = statSync(path);
    if (!stats.isFile()) return 'other';
    return stats.size > MODULE_BYTES_MAX ? 'too_large' : 'module';
  } catch {
    return 'none';
  }
}
