/** Runs one task at a time; of those that wait only the newest is kept. */
export class Latest<Result> {
  readonly #superseded: Result;
  #isRunning = false as boolean;
  #next: { readonly task: () => Promise<Result>; readonly settle: (result: Promise<Result>) => void } | null =
    null;

  /** `superseded`: the result of a task in whose place a newer one runs. */
  constructor(superseded: Result) {
    this.#superseded = superseded;
  }

  run(task: () => Promise<Result>): Promise<Result> {
    this.#next?.settle(Promise.resolve(this.#superseded));
    return new Promise((settle) => {
      this.#next = { task, settle };
      if (!this.#isRunning) void this.#runAll();
    });
  }

  async #runAll(): Promise<void> {
    this.#isRunning = true;
    for (let next = this.#take(); next !== null; next = this.#take()) {
      const result = next.task();
      next.settle(result);
      await result.catch(() => {}); // the caller's
    }
    this.#isRunning = false;
  }

  #take() {
    const next = this.#next;
    this.#next = null;
    return next;
  }
}
