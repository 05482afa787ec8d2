/** What a file or folder contains, as a short text: equal texts, equal contents. */
import { createHash } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
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
    const version = versionOf(stats);
    if (known?.version === version) return known;
    if (stats.isFile()) return await fingerprintOfFile(path);
    const content = stats.isDirectory() ? await contentOfFolder(path) : SPECIAL;
    return { content, version, changedMs: stats.ctimeMs };
  } catch (error) {
    return { content: `${(error as NodeJS.ErrnoException).code}`, version: '', changedMs: 0 };
  }
}

/** A pipe or device is never read. */
const SPECIAL = 'special';

const versionOf = ({ dev, ino, size, ctimeMs }: Stats): string => `${dev} ${ino} ${size} ${ctimeMs}`;

/** The names in it, without hidden ones. */
async function contentOfFolder(path: string): Promise<string> {
  const names = (await readdir(path)).filter((name) => !name.startsWith('.'));
  return `folder ${digest(names.sort().join('/'))}`;
}

/**
 * Opened without blocking, and looked at again: a pipe that has taken the path meanwhile would keep a thread of the pool
 * for ever, and four of them all reading of files.
 */
async function fingerprintOfFile(path: string): Promise<Fingerprint> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stats = await file.stat();
    if (!stats.isFile()) return { content: SPECIAL, version: '', changedMs: stats.ctimeMs };
    const version = versionOf(stats);
    const read = await digestOf(file);
    const content = read === null ? `large ${version}` : `file ${read}`;
    return { content, version, changedMs: stats.ctimeMs };
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
