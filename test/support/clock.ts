/** A clock that tests advance by hand. */
import type { Clock } from '../../src/base/clock.js';

export class HandClock implements Clock {
  #nowMs = 0;
  #timers = new Map<number, { atMs: number; callback: () => void }>();
  #next = 0;

  nowMs(): number {
    return this.#nowMs;
  }

  after(ms: number, callback: () => void): () => void {
    const key = this.#next++;
    this.#timers.set(key, { atMs: this.#nowMs + ms, callback });
    return () => this.#timers.delete(key);
  }

  get waiting(): number {
    return this.#timers.size;
  }

  /** Runs what falls due, in order, and lets promises settle after each. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms;
    for (;;) {
      const due = [...this.#timers].filter(([, { atMs }]) => atMs <= endMs);
      const first = due.toSorted(([a, x], [b, y]) => x.atMs - y.atMs || a - b)[0];
      if (first === undefined) break;
      const [key, { atMs, callback }] = first;
      this.#timers.delete(key);
      this.#nowMs = Math.max(this.#nowMs, atMs);
      callback();
      await settled();
    }
    this.#nowMs = endMs;
    await settled();
  }
}

export const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
