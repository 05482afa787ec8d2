/** Credentials that were right lately: a client that opens many tunnels pays for scrypt once. Pure. */
export const verifiedLimits = {
  /** From the verification on, however often they are used. */
  ageMsMax: 600_000,
  /** Beyond it the oldest are forgotten: some 200 bytes each. */
  knownMax: 4096,
} as const;

export class Verified {
  /** Digest → when it is forgotten, in the order of their coming. */
  readonly #known = new Map<string, number>();

  has(digest: string, nowMs: number): boolean {
    return (this.#known.get(digest) ?? nowMs) > nowMs;
  }

  add(digest: string, nowMs: number): void {
    this.#known.delete(digest);
    for (const [oldest, untilMs] of this.#known) {
      if (untilMs > nowMs && this.#known.size < verifiedLimits.knownMax) break;
      this.#known.delete(oldest);
    }
    this.#known.set(digest, nowMs + verifiedLimits.ageMsMax);
  }

  get size(): number {
    return this.#known.size;
  }
}
