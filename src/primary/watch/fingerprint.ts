/** What a file or folder contains, as a short text: equal texts, equal contents. */
import { createHash } from 'node:crypto';
import type { Stats } from 'node:fs';
import { type FileHandle, open, readdir, stat } from 'node:fs/promises';

/** A configuration is smaller (FILE_BYTES_MAX in src/config/text.ts); of a larger file, size and time count too. */
const BYTES_MAX = 1024 ** 2;

/** Read at once. */
const PIECE_BYTES = 64 * 1024;

export interface Fingerprint {
  readonly content: string;
  /** Changes with every write, and with nothing else; empty for what is not there. */
  readonly version: string;
  /** Of the last change, in milliseconds since the epoch. */
  readonly changedMs: number;
}

/** `known`: an earlier one, which is returned when nothing has been written since. */
export async function fingerprintOf(path: string, known?: Fingerprint): Promise<Fingerprint> {
  try {
    const stats = await stat(path);
    const version = `${stats.dev} ${stats.ino} ${stats.size} ${stats.ctimeMs}`;
    if (known?.version === version) return known;
    return { content: await contentOf(path, stats, version), version, changedMs: stats.ctimeMs };
  } catch (error) {
    return { content: `${(error as NodeJS.ErrnoException).code}`, version: '', changedMs: 0 };
  }
}

/** Of a folder the names, without hidden ones; a pipe or device is never read. */
async function contentOf(path: string, stats: Stats, version: string): Promise<string> {
  if (stats.isDirectory()) {
    const names = (await readdir(path)).filter((name) => !name.startsWith('.'));
    return `folder ${digest(names.sort().join('/'))}`;
  }
  if (!stats.isFile()) return 'special';
  const file = await open(path, 'r');
  try {
    const read = await digestOf(file);
    return read === null ? `large ${version}` : `file ${read}`;
  } finally {
    await file.close();
  }
}

/** Null: it is too large. */
async function digestOf(file: FileHandle): Promise<string | null> {
  const hash = createHash('sha256');
  const piece = Buffer.allocUnsafe(PIECE_BYTES);
  let left = BYTES_MAX;
  for (;;) {
    const { bytesRead } = await file.read(piece);
    if (bytesRead === 0) return hash.digest('base64');
    left -= bytesRead;
    if (left < 0) return null;
    hash.update(piece.subarray(0, bytesRead));
  }
}

const digest = (content: string): string => createHash('sha256').update(content).digest('base64');
