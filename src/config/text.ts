/** Reads the text of a configuration file, bounded, and refuses what is not text. */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';

export const FILE_BYTES_MAX = 1024 ** 2;

/** Memory that a reading begins with; doubled when it is full. */
const PIECE_BYTES = 64 * 1024;

/** Looks at a pipe: until a writer comes (1 s), until its next bytes come (20 s). */
const pipePauses = { ms: 10, writerMax: 100, bytesMax: 2000 } as const;
const pause = new Int32Array(new SharedArrayBuffer(4));

export interface Position {
  readonly line: number | null;
  readonly column: number | null;
}

export type FileText = { readonly text: string } | (Position & { readonly message: string });

const nowhere = { line: null, column: null } as const;

export function readFileText(file: string): FileText {
  try {
    const bytes = readUpTo(file, FILE_BYTES_MAX + 1);
    if (bytes.length <= FILE_BYTES_MAX) return decode(bytes);
    return {
      ...nowhere,
      message: 'is larger than 1 MiB, which no configuration needs: is it the right file?',
    };
  } catch (error) {
    return { ...nowhere, message: `can not read it: ${reasonOf(error as NodeJS.ErrnoException)}` };
  }
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EISDIR: 'it is a directory',
  EACCES: 'permission denied',
};

/** Why a file can not be read; common error codes in words. */
export function reasonOf({ code = '', message }: NodeJS.ErrnoException): string {
  return reasons[code] ?? message;
}

/**
 * Does not rely on the file's size: a pipe has none, a device may be endless. Opened without blocking: a pipe without a
 * writer would stop the thread for ever.
 */
function readUpTo(file: string, bytesMax: number): Buffer {
  const fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    let bytes = Buffer.allocUnsafe(Math.min(bytesMax, PIECE_BYTES));
    const isFile = fstatSync(fd).isFile();
    let length = 0;
    for (let pauses = 0; length < bytesMax; ) {
      if (length === bytes.length) bytes = Buffer.concat([bytes], Math.min(bytesMax, 2 * length));
      const read = readNow(fd, bytes, length);
      // A pipe without a writer reads as ended, too.
      if (read === 0 && (isFile || length > 0 || pauses >= pipePauses.writerMax)) break;
      if (read === null && pauses >= pipePauses.bytesMax) throw new Error('its writer says nothing');
      length += read ?? 0;
      if (read !== null && read > 0) continue;
      pauses += 1;
      Atomics.wait(pause, 0, 0, pipePauses.ms);
    }
    return bytes.subarray(0, length);
  } finally {
    closeSync(fd);
  }
}

/** Null: nothing yet. */
function readNow(fd: number, bytes: Buffer, offset: number): number | null {
  try {
    return readSync(fd, bytes, offset, bytes.length - offset, null);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return null;
    throw error;
  }
}

/** Strips a byte order mark at the start. */
function decode(bytes: Buffer): FileText {
  const mark = bytes.subarray(0, 2).toString('hex');
  if (mark === 'fffe' || mark === 'feff')
    return { line: 1, column: 1, message: 'is UTF-16: save it as UTF-8' };
  const text = utf8(bytes);
  if (text !== null) return { text };
  const valid = validLength(bytes);
  const before = utf8(bytes.subarray(0, valid)) ?? '';
  const byte = (bytes[valid] ?? 0).toString(16).padStart(2, '0');
  return {
    ...positionIn(before, before.length),
    message: `is not UTF-8 here (byte 0x${byte}): save it as UTF-8`,
  };
}

function utf8(bytes: Uint8Array, stream = false): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream });
  } catch {
    return null;
  }
}

/** Length of the longest valid UTF-8 prefix, by bisection. */
function validLength(bytes: Uint8Array): number {
  let good = 0;
  let bad = bytes.length;
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    if (utf8(bytes.subarray(0, middle), true) === null) bad = middle;
    else good = middle;
  }
  // Backs up over an incomplete character before the invalid byte.
  while (good > 0 && utf8(bytes.subarray(0, good)) === null) good--;
  return good;
}

/** Characters outside YAML 1.2.2 section 5.1, and a byte order mark that is not at the start. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const FOREIGN = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f\ufeff]/;

/** Why a text is not parsed at all. */
export interface Obstacle {
  readonly offset: number;
  readonly message: string;
}

/** The first character not allowed in a configuration; null when there is none. */
export function findForeign(text: string): Obstacle | null {
  const offset = text.search(FOREIGN);
  if (offset < 0) return null;
  const code = text.charCodeAt(offset);
  if (code === 0) return { offset, message: 'a NUL byte: it is no text, or UTF-16: save it as UTF-8' };
  const name =
    code === 0xfeff ? 'a byte order mark' : `the control character U+${code.toString(16).padStart(4, '0')}`;
  return { offset, message: `${name} stands inside of the file: take it out` };
}

export function positionIn(text: string, offset: number): Position {
  const before = text.slice(0, offset);
  const start = before.lastIndexOf('\n') + 1;
  return { line: before.split('\n').length, column: offset - start + 1 };
}
