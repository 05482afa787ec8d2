/**
 * Brakes on guessing: after some wrong passwords a source waits, each time twice as long. Sources that are trusted elsewhere
 * are not here. Pure.
 */
export const brakeLimits = {
  /** Wrong passwords that cost nothing. */
  freeMax: 5,
  /** After the next one; then twice as long each time. */
  waitMs: 1000,
  waitMsMax: 60_000,
  /** For each so long a time without one, a wrong password is forgiven. */
  forgiveMs: 60_000,
  /** Beyond it the one is forgotten that has guessed least lately: some 200 bytes each. */
  sourcesMax: 4096,
} as const;

interface Guesses {
  /** Wrong ones. */
  readonly count: number;
  /** The last one, and when it was found wrong. */
  readonly last: string;
  readonly lastMs: number;
}

/** A source is whatever text stands for one. */
export class Brakes {
  /** In the order of their last guess. */
  readonly #sources = new Map<string, Guesses>();

  /** How long a source has to wait for its next guess; 0: not at all. */
  waitMs(source: string, nowMs: number): number {
    const known = this.#sources.get(source);
    return known === undefined ? 0 : Math.max(0, known.lastMs + waitAfter(known.count) - nowMs);
  }

  /** A client that knows no better says the same again, and learns nothing by it. */
  wasLast(source: string, guess: string): boolean {
    return this.#sources.get(source)?.last === guess;
  }

  wrong(source: string, guess: string, nowMs: number): void {
    const { count = 0, lastMs = nowMs } = this.#sources.get(source) ?? {};
    const forgiven = Math.floor((nowMs - lastMs) / brakeLimits.forgiveMs);
    this.#sources.delete(source);
    for (const [oldest] of this.#sources) {
      if (this.#sources.size < brakeLimits.sourcesMax) break;
      this.#sources.delete(oldest);
    }
    this.#sources.set(source, { count: Math.max(0, count - forgiven) + 1, last: guess, lastMs: nowMs });
  }

  get size(): number {
    return this.#sources.size;
  }
}

function waitAfter(count: number): number {
  const beyond = count - brakeLimits.freeMax;
  return beyond <= 0 ? 0 : Math.min(brakeLimits.waitMs * 2 ** (beyond - 1), brakeLimits.waitMsMax);
}
