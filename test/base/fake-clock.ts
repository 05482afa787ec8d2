import type { Clock } from '../../src/base/clock.js';

/** A clock that the test advances. */
export class FakeClock implements Clock {
  #nowMs = 0;
  #due: { readonly atMs: number; readonly callback: () => void }[] = [];

  nowMs(): number {
    return this.#nowMs;
  }

  after(ms: number, callback: () => void): () => void {
    const timer = { atMs: this.#nowMs + ms, callback };
    this.#due.push(timer);
    return () => {
      this.#due = this.#due.filter((other) => other !== timer);
    };
  }

  /** Advances the clock without running timers (a suspended process); overdue timers run once, at the next `pass`. */
  jump(ms: number): void {
    this.#nowMs += ms;
  }

  /** Advances the clock, runs due timers in order and lets promises settle after each. */
  async pass(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms;
    for (let next = this.#next(untilMs); next; next = this.#next(untilMs)) {
      const { atMs, callback } = next;
      this.#nowMs = Math.max(atMs, this.#nowMs);
      this.#due = this.#due.filter((other) => other !== next);
      callback();
      await settled();
    }
    this.#nowMs = untilMs;
  }

  #next(untilMs: number) {
    return this.#due.filter(({ atMs }) => atMs <= untilMs).sort((a, b) => a.atMs - b.atMs)[0];
  }
}

/** Lets all promises settle that can. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
