/** Writes a file as a whole: a reader finds the old one or the new one, never a part. It is written beside it and renamed. */
import { lstat, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

export interface Written {
  /** As of chmod(2). */
  readonly mode: number;
  /** Survives a power cut as a whole, at the price of a wait for the disk. */
  readonly isSynced: boolean;
}

/** What went wrong, with what to mend; null: nothing. Never rejects. One write to a path at a time. */
export async function replaceFile(path: string, text: string, written: Written): Promise<string | null> {
  const beside = `${path}.${process.pid}.tmp`;
  if (await isSpecial(path)) return 'it is a device, a pipe or a socket: name a file';
  try {
    await rm(beside, { force: true });
    await writeNew(beside, text, written);
    await rename(beside, path);
    return null;
  } catch (error) {
    await rm(beside, { force: true }).catch(() => {});
    return writeFaultOf(error as NodeJS.ErrnoException, path);
  }
}

/** Renaming would take it away: /dev/null is everybody's. */
async function isSpecial(path: string): Promise<boolean> {
  const there = await lstat(path).catch(() => null);
  return there !== null && !there.isFile() && !there.isSymbolicLink() && !there.isDirectory();
}

async function writeNew(path: string, text: string, { mode, isSynced }: Written): Promise<void> {
  // A link that somebody has put there is not followed.
  const file = await open(path, 'wx', mode);
  try {
    await file.writeFile(text);
    if (isSynced) await file.sync();
  } finally {
    await file.close();
  }
}

/** Why a file can not be written, in words. The file beside, which the message of the system names, is nobody's concern. */
export function writeFaultOf({ code, message }: NodeJS.ErrnoException, path: string): string {
  const folder = dirname(path);
  if (code === 'ENOENT') return `there is no folder ${folder}: make it, writable for this user`;
  if (code === 'ENOTDIR') return `${folder} is no folder`;
  if (code === 'EACCES' || code === 'EPERM') return `this user may not write to the folder ${folder}`;
  return code === 'EISDIR' ? 'it is a folder: name a file' : message;
}
