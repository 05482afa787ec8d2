/**
 * What a worker has beside its thread, by its number: counter memory and an inbox. It outlives a worker that dies, and
 * belongs to its replacement. Counters and log lines go by number, so a number is free only once its worker has ended.
 */
import { native } from '../addon.js';
import { createCounters } from '../metrics/memory.js';

export const workerLimits = {
  /** Workers at once: 256 that are wanted, and as many that left and still have sessions. */
  max: 512,
} as const;

export class Equipment {
  readonly #buffers: SharedArrayBuffer[] = [];
  readonly #inboxes = new Map<number, number>();

  /** Counter memory by number, also of workers that left. More may be appended. */
  get buffers(): readonly SharedArrayBuffer[] {
    return this.#buffers;
  }

  /** The lowest free numbers, equipped; null: not so many are free. */
  take(count: number): number[] | null {
    const numbers: number[] = [];
    for (let number = 0; numbers.length < count; number++) {
      if (number === workerLimits.max) return null;
      if (!this.#inboxes.has(number)) numbers.push(number);
    }
    for (const number of numbers) {
      // One of this number that left may have counted there.
      this.#buffers[number] ??= createCounters();
      this.#inboxes.set(number, native.createInbox());
    }
    return numbers;
  }

  of(worker: number): { counters: SharedArrayBuffer; inbox: number } {
    return { counters: this.#buffers[worker] as SharedArrayBuffer, inbox: this.#inboxes.get(worker) ?? -1 };
  }

  inboxesOf(workers: readonly number[]): number[] {
    return workers.map((worker) => this.of(worker).inbox);
  }

  /** The worker has ended. */
  release(worker: number): void {
    const inbox = this.#inboxes.get(worker);
    if (inbox !== undefined) native.closeInbox(inbox);
    this.#inboxes.delete(worker);
  }

  close(): void {
    for (const worker of [...this.#inboxes.keys()]) this.release(worker);
  }
}
