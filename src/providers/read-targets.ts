/** A file of endpoints, read without trust in what its path leads to: a pipe or a device would never end. */
import { isUtf8 } from 'node:buffer';
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { type Targets, targetFileLimits, targetsIn } from './target-files.js';

export async function readTargets(path: string): Promise<Targets> {
  try {
    return await contentOf(path);
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    return { fault: faults[code] ?? `can not be read (${code})` };
  }
}

const faults: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EACCES: 'may not be read by this user',
};

async function contentOf(path: string): Promise<Targets> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stats = await file.stat();
    if (!stats.isFile()) return { fault: 'is no regular file' };
    const { bytesMax } = targetFileLimits;
    // One more than allowed: it may grow meanwhile.
    const bytes = Buffer.allocUnsafe(Math.min(stats.size, bytesMax) + 1);
    const { bytesRead } = await file.read(bytes, 0, bytes.length, 0);
    if (bytesRead > bytesMax) return { fault: `is larger than ${bytesMax} bytes` };
    const content = bytes.subarray(0, bytesRead);
    return isUtf8(content) ? targetsIn(content.toString('utf8')) : { fault: 'is not UTF-8' };
  } finally {
    await file.close();
  }
}
