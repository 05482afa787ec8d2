/**
 * What was known last, on disk, for a start while whoever says it can not be reached: JSON of a named kind and version, for
 * the daemon's user alone. What somebody else has written, or may have, is not believed.
 */
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { Clock } from './clock.js';
import { replaceFile } from './replace-file.js';

export const stateLimits = {
  /** Of the file; a state that is larger is not written. */
  bytesMax: 64 * 1024 * 1024,
  /** Changes are gathered so long: each write is the whole state. */
  gatherMs: 1000,
  /** Until the next attempt after a write that failed. */
  retryMs: 30_000,
} as const;

/** What a file is of: others than the one that is wanted are refused. */
export interface StateKind {
  readonly name: string;
  readonly version: number;
}

/** `state`: undefined: there is no file. */
export type ReadState = { readonly state: unknown } | { readonly fault: string };

const MODE = 0o600;
const OTHERS_MAY_WRITE = 0o022;

/** `users`: beside root and this process's, whose file is believed. A pipe is not waited for. Never rejects. */
export async function readStateFile(
  path: string,
  kind: StateKind,
  users: readonly number[] = [],
): Promise<ReadState> {
  try {
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const fault = await faultOf(file, users);
      return fault === null ? stateIn(await file.readFile('utf8'), kind) : { fault };
    } finally {
      await file.close();
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' ? { state: undefined } : { fault: message };
  }
}

async function faultOf(file: FileHandle, users: readonly number[]): Promise<string | null> {
  const stats = await file.stat();
  if (!stats.isFile()) return 'it is no file';
  if (![0, process.geteuid?.(), ...users].includes(stats.uid))
    return `it is a file of user ${stats.uid}, who is another one`;
  if ((stats.mode & OTHERS_MAY_WRITE) !== 0) return 'others than its user may write to it';
  return stats.size > stateLimits.bytesMax ? `it has more than ${stateLimits.bytesMax} bytes` : null;
}

function stateIn(text: string, { name, version }: StateKind): ReadState {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return { fault: 'it is no JSON' };
  }
  const read = typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>) : {};
  if (read.kind !== name) return { fault: `it is not of ${name}` };
  if (read.version !== version)
    return { fault: `it is of version ${JSON.stringify(read.version)}, where ${version} is known` };
  return { state: read.state };
}

export interface StateWriterOptions {
  readonly path: string;
  readonly kind: StateKind;
  readonly clock: Clock;
  /** Once, until a write succeeds: then with null. */
  readonly onError: (error: string | null) => void;
}

/** Writes the newest state, one write at a time. */
export class StateWriter {
  readonly #options: StateWriterOptions;
  #newest: () => unknown = () => null;
  #cancelWait: (() => void) | null = null;
  #writing: Promise<void> = Promise.resolve();
  #hasFailed = false as boolean;
  #isClosed = false as boolean;

  constructor(options: StateWriterOptions) {
    this.#options = options;
  }

  /** `state`: asked when it is written, for what JSON can say. */
  save(state: () => unknown): void {
    this.#newest = state;
    if (this.#cancelWait === null) this.#writeAfter(stateLimits.gatherMs);
  }

  /** Writes what waits. Never rejects. */
  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#cancelWait !== null) this.#write();
    await this.#writing;
  }

  #writeAfter(ms: number): void {
    this.#cancelWait = this.#options.clock.after(ms, () => this.#write());
  }

  #write(): void {
    this.#cancelWait?.();
    this.#cancelWait = null;
    this.#writing = this.#writing.then(async () => {
      const error = await this.#replace();
      this.#told(error);
      if (error !== null && !this.#isClosed && this.#cancelWait === null)
        this.#writeAfter(stateLimits.retryMs);
    });
  }

  async #replace(): Promise<string | null> {
    const { path, kind } = this.#options;
    const text = `${JSON.stringify({ kind: kind.name, version: kind.version, state: this.#newest() })}\n`;
    return Buffer.byteLength(text) > stateLimits.bytesMax
      ? `it would have more than ${stateLimits.bytesMax} bytes: the file keeps what it has`
      : replaceFile(path, text, { mode: MODE, isSynced: true });
  }

  #told(error: string | null): void {
    if ((error !== null) === this.#hasFailed) return;
    this.#hasFailed = error !== null;
    this.#options.onError(error);
  }
}
