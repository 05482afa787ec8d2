/**
 * The last good state on disk, for a start without etcd. A reader finds the old file or the new one, never a part: it is
 * written beside it, synced and renamed. Only the daemon's user may read it.
 */
import { constants } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import type { Clock } from '../base/clock.js';
import { HELD_KEYS_MAX, type Held } from './etcd/held.js';
import { decoded, encoded, type KeyValue, listIn, objectIn } from './etcd/wire.js';
import type { Parsed } from './values.js';

export const stateLimits = {
  /** Of the file; a state that is larger is not written. */
  bytesMax: 64 * 1024 * 1024,
  /** Changes are gathered so long: each write is the whole state. */
  gatherMs: 1000,
} as const;

const VERSION = 1;
const MODE = 0o600;

/** By prefix. */
export type State = ReadonlyMap<string, Held>;

/** A file that is not there is a state that is empty. Rejects never. */
export async function readState(path: string): Promise<Parsed<{ readonly state: State }>> {
  try {
    const text = await readBounded(path);
    return text === null
      ? { fault: `${path}: more than ${stateLimits.bytesMax} bytes` }
      : parseState(path, text);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' ? { state: new Map() } : { fault: `${path}: ${message}` };
  }
}

/** Null: it is too large. */
async function readBounded(path: string): Promise<string | null> {
  // A pipe would be waited for.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stats = await file.stat();
    if (!stats.isFile()) throw new Error('it is no file');
    return stats.size > stateLimits.bytesMax ? null : await file.readFile('utf8');
  } finally {
    await file.close();
  }
}

export function parseState(path: string, text: string): Parsed<{ readonly state: State }> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return { fault: `${path}: no JSON; remove it, it is written again` };
  }
  const { version, prefixes } = objectIn(parsed);
  if (version !== VERSION)
    return {
      fault: `${path}: version ${String(version)}, where ${VERSION} is known; remove it, it is written again`,
    };
  const entries = Object.entries(objectIn(prefixes)).map(([prefix, held]) => [prefix, heldIn(held)] as const);
  const broken = entries.find(([, held]) => held === null);
  if (broken !== undefined) return { fault: `${path}: what it says of ${broken[0]} is broken; remove it` };
  return { state: new Map(entries as (readonly [string, Held])[]) };
}

function heldIn(value: unknown): Held | null {
  const { revision, items } = objectIn(value);
  if (!Number.isSafeInteger(revision) || !Array.isArray(items) || items.length > HELD_KEYS_MAX) return null;
  const read = listIn(items).map(itemIn);
  if (read.some((item) => item === null)) return null;
  return { revision: Number(revision), items: new Map((read as KeyValue[]).map((item) => [item.key, item])) };
}

function itemIn(value: unknown): KeyValue | null {
  const [key, bytes, modRevision] = listIn(value);
  if (typeof key !== 'string' || typeof bytes !== 'string' || !Number.isSafeInteger(modRevision)) return null;
  return { key, value: decoded(bytes), modRevision: Number(modRevision) };
}

export function formatState(state: State): string {
  const prefixes = [...state].map(([prefix, { revision, items }]) => [
    prefix,
    { revision, items: [...items.values()].map((item) => [item.key, encoded(item.value), item.modRevision]) },
  ]);
  return `${JSON.stringify({ version: VERSION, prefixes: Object.fromEntries(prefixes) })}\n`;
}

export interface StateFileOptions {
  readonly path: string;
  readonly clock: Clock;
  /** Once, until a write succeeds: then with null. */
  readonly onError: (error: string | null) => void;
}

/** Writes the newest state, one write at a time. */
export class StateFile {
  readonly #options: StateFileOptions;
  readonly #state = new Map<string, Held>();
  #cancelGathering: (() => void) | null = null;
  #writing: Promise<void> = Promise.resolve();
  #hasFailed = false as boolean;

  /** `state`: what has been read, which is written along until it is replaced. */
  constructor(options: StateFileOptions, state: State = new Map()) {
    this.#options = options;
    for (const [prefix, held] of state) this.#state.set(prefix, held);
  }

  save(prefix: string, held: Held): void {
    this.#state.set(prefix, held);
    this.#cancelGathering ??= this.#options.clock.after(stateLimits.gatherMs, () => this.#write());
  }

  /** Writes what waits. Rejects never. */
  async close(): Promise<void> {
    if (this.#cancelGathering !== null) this.#write();
    await this.#writing;
  }

  #write(): void {
    this.#cancelGathering?.();
    this.#cancelGathering = null;
    this.#writing = this.#writing.then(async () => {
      this.#told(await replaceFile(this.#options.path, formatState(this.#state)));
    });
  }

  #told(error: string | null): void {
    if ((error !== null) === this.#hasFailed) return;
    this.#hasFailed = error !== null;
    this.#options.onError(error);
  }
}

/** What went wrong; null: nothing. */
async function replaceFile(path: string, text: string): Promise<string | null> {
  if (Buffer.byteLength(text) > stateLimits.bytesMax)
    return `${path}: more than ${stateLimits.bytesMax} bytes; the file keeps what it has`;
  const beside = `${path}.${process.pid}.tmp`;
  try {
    await rm(beside, { force: true });
    // A link that somebody has put there is not followed.
    const file = await open(beside, 'wx', MODE);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(beside, path);
    return null;
  } catch (error) {
    await rm(beside, { force: true }).catch(() => {});
    return `${path}: ${(error as Error).message}`;
  }
}
