/** Exponential back-off for restarting workers that died. */
import type { Clock } from '../base/clock.js';

export const backoffLimits = {
  /** Pause before a dead worker is replaced; doubles with each consecutive death. */
  pauseMsMin: 50,
  pauseMsMax: 5000,
  /** A worker that lived at least this long resets the back-off. */
  livedMs: 10_000,
} as const;

interface Life {
  readonly startedMs: number;
  /** The pause that preceded it. */
  readonly pauseMs: number;
}

export class Backoff {
  readonly #clock: Clock;
  readonly #lives = new Map<number, Life>();
  readonly #pending = new Map<number, () => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Called when a worker starts. */
  begin(worker: number): void {
    const { pauseMs = 0 } = this.#lives.get(worker) ?? {};
    this.#lives.set(worker, { startedMs: this.#clock.nowMs(), pauseMs });
  }

  /** Called when a worker has died: runs `restart` after the pause and returns its length. */
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

  /** A worker that does not come back. */
  forget(worker: number): void {
    this.#pending.get(worker)?.();
    this.#pending.delete(worker);
    this.#lives.delete(worker);
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
