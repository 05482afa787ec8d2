/**
 * Hellos that have come before. Somebody who has recorded one can not make a link of it, but costs the server a
 * Diffie-Hellman and a half-open link each time: so a hello is good once, and for a short time.
 */

export const helloLimits = {
  /** How far the clocks of client and server may be apart, and how long a repeated hello is known. */
  ageMsMax: 120_000,
  /** Beyond it the oldest are forgotten: some 100 bytes each. */
  knownMax: 16_384,
} as const;

/** The client's ephemeral key is at the beginning, and no two hellos have the same. */
const EPHEMERAL_BYTES = 32;

export class RecentHellos {
  /** Key → when it may be forgotten, in the order of their coming. */
  readonly #known = new Map<string, number>();

  /** Of a genuine hello. `timeMs`: of the client's clock. */
  judge(message: Buffer, timeMs: number, nowMs: number): 'new' | 'clock' | 'repeated' {
    if (Math.abs(timeMs - nowMs) > helloLimits.ageMsMax) return 'clock';
    this.#forget(nowMs);
    const key = message.toString('base64', 0, EPHEMERAL_BYTES);
    if (this.#known.has(key)) return 'repeated';
    // A clock that is ahead makes a hello good for as long as it is ahead.
    this.#known.set(key, nowMs + 2 * helloLimits.ageMsMax);
    return 'new';
  }

  get size(): number {
    return this.#known.size;
  }

  #forget(nowMs: number): void {
    for (const [key, untilMs] of this.#known) {
      if (untilMs >= nowMs && this.#known.size < helloLimits.knownMax) return;
      this.#known.delete(key);
    }
  }
}
