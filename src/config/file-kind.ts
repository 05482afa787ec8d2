/** What a path names, before it is imported: a thread that reads a device or a pipe as a module can not be stopped. */
import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { openFault, openFaults } from '../base/open-fault.js';
import { userLimits } from '../forward-proxy/users/index.js';
import { targetFileLimits } from '../providers/target-files.js';

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

/** Why a path can not be run as a program; null: it can. */
export const programFault = (path: string): string | null => faultOf(path, 'run');

/** Why a path can not be read as a list of networks; null: it can, as far as can be seen from outside. */
export const listFault = (path: string): string | null => faultOf(path, 'read');

const modes = { run: constants.X_OK, read: constants.R_OK } as const;

function faultOf(path: string, right: keyof typeof modes): string | null {
  const kind = fileKind(path);
  if (kind === 'none') return 'no such file';
  if (kind === 'other') return 'is no regular file';
  try {
    accessSync(path, modes[right]);
    return null;
  } catch {
    return `may not be ${right} by this user`;
  }
}

/** `appended`: the file is written to if it is there; `replaced`: by another one beside it; `bound`: by a Unix socket. */
export type WrittenAs = 'appended' | 'replaced' | 'bound';

/**
 * Why a path can not be written; null: it can, as far as can be seen from outside. A socket may be another process's, which
 * passes it on, so for these the folder need only be there. `writer`: a uid; null: this process's. What another user may do
 * is not known from this one's rights.
 */
export function writeFault(path: string, as: WrittenAs, writer: number | null = null): string | null {
  const folder = dirname(path);
  try {
    if (!statSync(folder).isDirectory()) return openFaults.ENOTDIR;
    const there = statSync(path, { throwIfNoEntry: false });
    if (there?.isDirectory()) return openFaults.EISDIR;
    if (as === 'bound') return null;
    if (as === 'appended' && there !== undefined) accessSync(path, constants.W_OK);
    else accessSync(folder, constants.W_OK | constants.X_OK);
    return null;
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (code === 'EACCES' && writer !== null && writer !== process.geteuid?.()) return null;
    return openFault(code) ?? `can not be written (${code})`;
  }
}

/** The text of a file with secrets. `isShared`: other users may read it, too. */
export type SecretFile = { readonly text: string; readonly isShared: boolean } | { readonly fault: string };

/** RSA with 8192 bits has 6.4 KB in PEM. */
const KEY_FILE_BYTES_MAX = 16 * 1024;

export const keyFile = (path: string): SecretFile => readText(path, KEY_FILE_BYTES_MAX, 'which no key is');

export const usersFile = (path: string): SecretFile =>
  readText(path, userLimits.fileBytesMax, 'which no file of users is');

export type TextFile = { readonly text: string } | { readonly fault: string };

/** The system's bundle, of some 150 authorities, has 220 KB. */
const AUTHORITIES_BYTES_MAX = 1024 ** 2;

export const authorities = (path: string): TextFile =>
  readText(path, AUTHORITIES_BYTES_MAX, 'name only authorities that are needed');

export const targetFile = (path: string): TextFile =>
  readText(path, targetFileLimits.bytesMax, 'which no file of endpoints may be');

/** `otherwise`: what is said of one that is longer. */
function readText(path: string, bytesMax: number, otherwise: string): SecretFile {
  const fault = faultOf(path, 'read');
  if (fault !== null) return { fault };
  try {
    const { size, mode } = statSync(path);
    if (size > bytesMax) return { fault: `is larger than ${bytesMax} bytes, ${otherwise}` };
    return { text: readFileSync(path, 'utf8'), isShared: (mode & 0o077) !== 0 };
  } catch (error) {
    return { fault: `can not be read (${(error as NodeJS.ErrnoException).code})` };
  }
}
