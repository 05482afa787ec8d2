/**
 * Watches files: says when their contents have changed, however that came about (written in
 * place, renamed over, a symbolic link swapped, the folder gone and back). Events of the system are hints: what counts is
 * the content. Where no events come (network file systems, no watches left) a slow look finds changes too.
 */
import { type FSWatcher, statSync, watch } from 'node:fs';
import { basename } from 'node:path';
import type { Clock } from '../clock.js';
import { addChain, type Chain } from './chain.js';
import { type Fingerprint, fingerprintOf } from './fingerprint.js';

export const watchLimits = {
  /** Quiet time after an event before the files are looked at. */
  quietMs: 200,
  /** At the latest this long after the first event, however many follow. */
  waitMsMax: 2000,
  /** Interval of looks without an event. */
  lookMs: 10_000,
  /** A file changed so shortly before it was read may have been read before; and times of files may be so far ahead. */
  clockGrainMs: 20,
} as const;

export interface FileWatchParts {
  /** Called when contents have changed, not again before it has resolved. */
  readonly changed: () => Promise<unknown>;
  /** Called at each event: contents may have changed. */
  readonly heard?: () => void;
  readonly clock: Clock;
  readonly log: { warn(fields: object, message: string): void };
}

interface Watched {
  readonly watcher: FSWatcher;
  /** Inode: another folder may have taken the path. */
  readonly inode: number;
}

export class FileWatch {
  readonly #parts: FileWatchParts;
  #files: readonly string[] = [];
  #isOn = false as boolean;
  #known = new Map<string, Fingerprint>();
  readonly #watched = new Map<string, Watched>();
  /** Names that decide, by folder. */
  #chain: Chain = new Map();
  #firstEventMs: number | null = null;
  #cancelLook: () => void = () => {};
  #isLooking = false as boolean;
  /** Calls of `follow` that have not ended. */
  #following = 0;
  #hasWarned = false;

  constructor(parts: FileWatchParts) {
    this.#parts = parts;
  }

  /** `files`: absolute paths of files and folders, there or not, as they were read at `readAtMs` (since the epoch). */
  async follow(files: readonly string[], readAtMs: number): Promise<void> {
    this.#files = files;
    if (this.#isOn) this.#rearm();
    this.#following += 1;
    const now = await this.#fingerprints();
    this.#following -= 1;
    if (this.#files !== files) return;
    const isYoung = ({ changedMs }: Fingerprint) =>
      changedMs >= readAtMs - watchLimits.clockGrainMs && changedMs <= Date.now() + watchLimits.clockGrainMs;
    // Whether it was read before or after that change is not known: it is read again.
    const young = [...now].filter(([, fingerprint]) => isYoung(fingerprint)).map(([file]) => file);
    for (const file of young) now.delete(file);
    this.#known = now;
    if (young.length > 0) this.#heard();
  }

  /** What has changed since `follow` counts. */
  turn(isOn: boolean): void {
    if (isOn === this.#isOn) return;
    if (!isOn) return this.close();
    this.#isOn = true;
    this.#rearm();
    this.#heard();
  }

  close(): void {
    this.#isOn = false;
    this.#cancelLook();
    for (const { watcher } of this.#watched.values()) watcher.close();
    this.#watched.clear();
  }

  /** Something may have changed: looks when it has become quiet. */
  #heard(): void {
    if (!this.#isOn) return;
    const nowMs = this.#parts.clock.nowMs();
    this.#firstEventMs ??= nowMs;
    const latestMs = this.#firstEventMs + watchLimits.waitMsMax - nowMs;
    this.#lookAfter(Math.max(0, Math.min(watchLimits.quietMs, latestMs)));
  }

  #lookAfter(ms: number): void {
    this.#cancelLook();
    this.#cancelLook = this.#parts.clock.after(ms, () => void this.#look());
  }

  async #look(): Promise<void> {
    // Not before it is known what was read.
    if (this.#isLooking || this.#following > 0) return this.#lookAfter(watchLimits.quietMs);
    this.#isLooking = true;
    this.#firstEventMs = null;
    this.#lookAfter(watchLimits.lookMs);
    try {
      this.#rearm();
      const files = this.#files;
      const now = await this.#fingerprints();
      if (!this.#isOn || this.#files !== files || !this.#differs(now)) return;
      this.#known = now;
      await this.#parts.changed();
    } finally {
      this.#isLooking = false;
    }
  }

  #differs(now: ReadonlyMap<string, Fingerprint>): boolean {
    return [...now].some(([file, { content }]) => this.#known.get(file)?.content !== content);
  }

  async #fingerprints(): Promise<Map<string, Fingerprint>> {
    const found = new Map<string, Fingerprint>();
    for (const file of this.#files) found.set(file, await fingerprintOf(file, this.#known.get(file)));
    return found;
  }

  /** Watches the folders that decide now, and no others. */
  #rearm(): void {
    const chain: Chain = new Map();
    for (const file of this.#files) {
      addChain(file, chain);
      // Of a folder every name decides.
      if (isFolder(file)) chain.set(file, null);
    }
    this.#chain = chain;
    for (const [folder, { watcher, inode }] of this.#watched) {
      if (chain.has(folder) && inodeOf(folder) === inode) continue;
      watcher.close();
      this.#watched.delete(folder);
    }
    for (const folder of chain.keys()) if (!this.#watched.has(folder)) this.#watch(folder);
  }

  #watch(folder: string): void {
    try {
      const inode = inodeOf(folder);
      const watcher = watch(folder, { persistent: false });
      watcher.on('change', (_, name) => this.#changed(folder, String(name)));
      watcher.on('error', (error) => this.#failed(folder, error));
      this.#watched.set(folder, { watcher, inode });
    } catch (error) {
      this.#failed(folder, error as Error);
    }
  }

  /** Events about the folder itself have its own name. */
  #changed(folder: string, name: string): void {
    const names = this.#chain.get(folder);
    if (names !== null && !names?.has(name) && name !== basename(folder)) return;
    this.#parts.heard?.();
    this.#heard();
  }

  #failed(folder: string, error: Error): void {
    this.#watched.get(folder)?.watcher.close();
    this.#watched.delete(folder);
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || this.#hasWarned) return;
    this.#hasWarned = true;
    const fields = { folder, error: error.message, look_ms: watchLimits.lookMs };
    this.#parts.log.warn(fields, 'a folder can not be watched; changes of files there are found by looking');
  }
}

function inodeOf(folder: string): number {
  return statSync(folder, { throwIfNoEntry: false })?.ino ?? 0;
}

function isFolder(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
  } catch {
    return false;
  }
}
