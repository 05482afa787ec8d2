/** When a worker that died is started again: soon, and ever later while it dies in a row. */
import type { Clock } from '../base/clock.js';

export const restartLimits = {
  /** Pause before a worker that died is replaced, doubled for each death in a row. */
  backoffMsMin: 50,
  backoffMsMax: 5000,
  /** A worker that lived so long has not died in a row. */
  livedMs: 10_000,
} as const;

interface Life {
  readonly startedMs: number;
  /** The pause before it. */
  readonly backoffMs: number;
}

export class Restarts {
  readonly #clock: Clock;
  readonly #lives = new Map<number, Life>();
  readonly #pending = new Map<number, () => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A worker's life begins. */
  begin(worker: number): void {
    const { backoffMs = 0 } = this.#lives.get(worker) ?? {};
    this.#lives.set(worker, { startedMs: this.#clock.nowMs(), backoffMs });
  }

  /** It has died: `restart` is called after a pause. Returns how long that is. */
  schedule(worker: number, restart: () => void): number {
    const { startedMs, backoffMs } = this.#lives.get(worker) as Life;
    const pauseMs = nextBackoffMs(backoffMs, this.#clock.nowMs() - startedMs);
    this.#lives.set(worker, { startedMs, backoffMs: pauseMs });
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

function nextBackoffMs(backoffMs: number, livedMs: number): number {
  if (livedMs >= restartLimits.livedMs) return restartLimits.backoffMsMin;
  return Math.min(Math.max(2 * backoffMs, restartLimits.backoffMsMin), restartLimits.backoffMsMax);
}
