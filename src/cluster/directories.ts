/**
 * The services of whichever link is in force, for whoever looks them up once and for all. While one link follows another,
 * what the newer does not know yet is found in the older.
 */
import type { Clock } from '../base/clock.js';
import type { ServiceDirectory } from '../model/service-directory.js';
import type { Directory } from './directory.js';

export const directoriesLimits = {
  /** For the first list: a start and a reload go on without it, and have it as soon as it is there. */
  firstMs: 2000,
} as const;

export class Directories implements ServiceDirectory {
  readonly #clock: Clock;
  readonly #listeners = new Set<() => void>();
  #inForce: Directory | null = null;
  /** In force before, until the one in force has been listed. */
  #former: Directory | null = null;
  /** Of a configuration that may still be refused. */
  #next: Directory | null = null;
  #unsubscribe: () => void = () => {};

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async ready(): Promise<void> {
    const directory = this.#next ?? this.#inForce;
    if (directory === null) return;
    let cancel = () => {};
    const late = new Promise<void>((resolve) => {
      cancel = this.#clock.after(directoriesLimits.firstMs, resolve);
    });
    await Promise.race([directory.ready(), late]);
    cancel();
  }

  find(service: string): ReturnType<ServiceDirectory['find']> {
    const own = this.#inForce?.find(service);
    if (own !== undefined) return own;
    const former = this.#former?.find(service);
    if (former !== undefined) return { ...former, failing: true };
    return this.#next?.find(service);
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** What a configuration that is being prepared names can be found. */
  prepare(next: Directory | null): void {
    this.#next = next;
  }

  discard(): void {
    this.#next = null;
  }

  /** Null: no services are looked up. */
  commit(next: Directory | null): void {
    this.#unsubscribe();
    this.#next = null;
    if (this.#former === null || this.#inForce?.isListed) this.#former = this.#inForce;
    if (next === null || next.isListed) this.#former = null;
    this.#inForce = next;
    this.#unsubscribe = next?.onChange(() => this.#changed(next)) ?? (() => {});
    this.#tell();
  }

  #changed(directory: Directory): void {
    if (directory.isListed) this.#former = null;
    this.#tell();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
