/** Runs jobs one at a time, in the order in which they were asked for. The caller bounds how many wait. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  /** Settles as the job does. */
  run<Result>(job: () => Promise<Result>): Promise<Result> {
    const turn = this.#last.then(job);
    this.#last = turn.catch(() => {});
    return turn;
  }

  /** Resolves when everything asked for so far has ended. */
  async idle(): Promise<void> {
    await this.#last;
  }
}
