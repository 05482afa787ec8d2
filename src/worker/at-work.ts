/** Handlers that have not finished: a drained worker gives them a moment, because its thread ends with it. */
export class AtWork {
  #count = 0;
  #waiting: () => void = () => {};

  /** `finished` never rejects. */
  add(finished: Promise<unknown>): void {
    this.#count += 1;
    void finished.then(() => {
      this.#count -= 1;
      if (this.#count === 0) this.#waiting();
    });
  }

  /** Resolves when all have finished, or after `msMax`. */
  async finished(msMax: number): Promise<void> {
    if (this.#count === 0) return;
    await new Promise<void>((resolve) => {
      const late = setTimeout(resolve, msMax);
      this.#waiting = () => {
        clearTimeout(late);
        resolve();
      };
    });
  }
}
