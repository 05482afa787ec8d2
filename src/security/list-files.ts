/**
 * Files of networks, each read once whoever names it, on a thread beside the loop. A file that can not be read any more,
 * or has wrong lines, keeps what it had last.
 */
import { stat } from 'node:fs/promises';
import type { ListFault, NativePrefixes, Prefixes } from '../addon.js';
import { counted } from '../base/figures.js';
import type { Problem } from '../model/config.js';

export const listFileLimits = {
  /** A file changed so shortly before it was read may have been read before. */
  clockGrainMs: 20,
} as const;

/** Why a file can not be read, and in which line. */
export type ListProblem = Pick<Problem, 'line' | 'message'>;

/** What is known of a file. */
export interface ListFile {
  /** As it was read last; null: never. */
  readonly networks: Prefixes | null;
  /** When that was, since the epoch. */
  readonly readAtMs: number;
  /** What is wrong with it now; empty: nothing. */
  readonly problems: readonly ListProblem[];
  /** Times that it could not be read. */
  readonly failures: number;
}

interface Known extends ListFile {
  /** Changes with every write; empty: it is to be read in any case. */
  readonly version: string;
}

const unknown: Known = { networks: null, readAtMs: 0, problems: [], failures: 0, version: '' };

export class ListFiles {
  readonly #native: Pick<NativePrefixes, 'read'>;
  readonly #known = new Map<string, Known>();

  constructor(native: Pick<NativePrefixes, 'read'>) {
    this.#native = native;
  }

  get(path: string): ListFile {
    return this.#known.get(path) ?? unknown;
  }

  get sets(): readonly Prefixes[] {
    return [...this.#known.values()].flatMap(({ networks }) => networks ?? []);
  }

  /** Reads it unless nothing has been written since the last time. */
  async read(path: string): Promise<ListFile> {
    const before = this.#known.get(path) ?? unknown;
    const version = await versionOf(path);
    if (version !== '' && version === before.version) return before;
    const readAtMs = Date.now();
    const read = await this.#native.read(path);
    const now: Known =
      'entries' in read
        ? { ...before, networks: read, readAtMs, problems: [], version }
        : { ...before, problems: problemsOf(read), failures: before.failures + 1, version };
    this.#known.set(path, now);
    return now;
  }

  /** Forgets all others. */
  retain(paths: ReadonlySet<string>): void {
    for (const path of this.#known.keys()) if (!paths.has(path)) this.#known.delete(path);
  }
}

/** Empty: it may change again without another version. */
async function versionOf(path: string): Promise<string> {
  try {
    const { dev, ino, size, ctimeMs } = await stat(path);
    const isYoung = Math.abs(Date.now() - ctimeMs) <= listFileLimits.clockGrainMs;
    return isYoung ? '' : `${dev} ${ino} ${size} ${ctimeMs}`;
  } catch {
    return '';
  }
}

const whole: Readonly<Record<Exclude<ListFault['fault'], 'wrong_lines' | 'unreadable'>, string>> = {
  not_regular: 'is no regular file',
  too_large: 'is larger than 256 MiB',
  too_long: 'has more than 4,000,000 entries',
};

function problemsOf({ fault, error, wrong, lines }: ListFault): ListProblem[] {
  if (fault === 'unreadable') return [{ line: null, message: `can not be read: ${reasonOf(error)}` }];
  if (fault !== 'wrong_lines') return [{ line: null, message: whole[fault] }];
  const shown = lines.map(({ number, text }) => ({
    line: number,
    message: `expected an address or a network such as \`10.0.0.0/8\`, got ${JSON.stringify(text)}`,
  }));
  const more = wrong - lines.length;
  return more === 0 ? shown : [...shown, { line: null, message: `has ${counted(more, 'more wrong line')}` }];
}

function reasonOf(error: Error | undefined): string {
  const { code = '', message = '' } = (error ?? {}) as NodeJS.ErrnoException;
  return code === 'ENOENT' ? 'no such file' : code === 'EACCES' ? 'may not be read by this user' : message;
}
