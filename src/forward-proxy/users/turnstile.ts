/**
 * Jobs of many sources: each source's in their order, one after the other; of all sources so many at once. So each job knows
 * how those before it ended, and no source takes the places of others.
 */
import { Turns } from '../../base/turns.js';

export interface TurnstileLimits {
  readonly atOnce: number;
  /** Jobs that have not ended, of one source and in all. */
  readonly ofSourceMax: number;
  readonly inAllMax: number;
}

interface Line {
  readonly turns: Turns;
  count: number;
}

export class Turnstile {
  readonly #limits: TurnstileLimits;
  readonly #lines = new Map<string, Line>();
  #inAll = 0;
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(limits: TurnstileLimits) {
    this.#limits = limits;
  }

  isFull(source: string): boolean {
    const { ofSourceMax, inAllMax } = this.#limits;
    return this.#inAll >= inAllMax || (this.#lines.get(source)?.count ?? 0) >= ofSourceMax;
  }

  async run<Result>(source: string, job: () => Promise<Result>): Promise<Result> {
    const line = this.#lines.get(source) ?? { turns: new Turns(), count: 0 };
    this.#lines.set(source, line);
    line.count += 1;
    this.#inAll += 1;
    try {
      return await line.turns.run(() => this.#runInPlace(job));
    } finally {
      this.#inAll -= 1;
      line.count -= 1;
      if (line.count === 0) this.#lines.delete(source);
    }
  }

  async #runInPlace<Result>(job: () => Promise<Result>): Promise<Result> {
    if (this.#running >= this.#limits.atOnce) await new Promise<void>((go) => this.#waiting.push(go));
    else this.#running += 1;
    try {
      return await job();
    } finally {
      // The place goes on to who waits longest.
      const next = this.#waiting.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }
}
