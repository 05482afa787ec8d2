/**
 * The end of a long life, which cuts waits short. Each wait is forgotten with its work: `Promise.race` with a promise that
 * stays pending would keep something of every call for as long as it does.
 */
export class LifeEnd {
  readonly #waits = new Set<() => void>();
  hasCome = false as boolean;

  /** Idempotent. */
  come(): void {
    this.hasCome = true;
    for (const resolve of this.#waits) resolve();
  }

  /** Settles as the work does, or resolves at the end. */
  async before(work: Promise<unknown>): Promise<void> {
    let stop = () => {};
    const end = new Promise<void>((resolve) => {
      stop = resolve;
    });
    if (this.hasCome) stop();
    this.#waits.add(stop);
    try {
      await Promise.race([work, end]);
    } finally {
      this.#waits.delete(stop);
    }
  }
}
