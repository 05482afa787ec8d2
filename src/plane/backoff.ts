/** When a worker that died is started again: soon, and ever later while it dies in a row. */
import type { Clock } from '../base/clock.js';

export const backoffLimits = {
  /** Pause before a worker that died is replaced, doubled for each death in a row. */
  pauseMsMin: 50,
  pauseMsMax: 5000,
  /** A worker that lived so long has not died in a row. */
  livedMs: 10_000,
} as const;

interface Life {
  readonly startedMs: number;
  /** The pause before it. */
  readonly pauseMs: number;
}

export class Backoff {
  readonly #clock: Clock;
  readonly #lives = new Map<number, Life>();
  readonly #pending = new Map<number, () => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A worker's life begins. */
  begin(worker: number): void {
    const { pauseMs = 0 } = this.#lives.get(worker) ?? {};
    this.#lives.set(worker, { startedMs: this.#clock.nowMs(), pauseMs });
  }

  /** It has died: `restart` is called after a pause. Returns how long that is. */
  schedule(worker: number, restart: () => void): number {
    const life = this.#lives.get(worker) as Life;
    const pauseMs = nextPauseMs(life.pauseMs, this.#clock.nowMs() - life.startedMs);
    this.#lives.set(worker, { ...life, pauseMs });
    const later = () => {
      this.#pending.delete(worker);
      restart();
    };
    this.#pending.set(worker, this.#clock.after(pauseMs, later));
    return pauseMs;
  }

  callOff(): void {
    for (const cancel of this.#pending.values()) cancel();
    this.#pending.clear();
  }
}

function nextPauseMs(beforeMs: number, livedMs: number): number {
  if (livedMs >= backoffLimits.livedMs) return backoffLimits.pauseMsMin;
  return Math.min(Math.max(2 * beforeMs, backoffLimits.pauseMsMin), backoffLimits.pauseMsMax);
}
