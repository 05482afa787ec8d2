/** Long work in slices, between which the thread serves whatever else there is. Clock and turn are arguments. */
export interface SliceClock {
  nowMs(): number;
  /** Resolves when the event loop has been round. */
  turn(): Promise<void>;
}

/** Of this thread. */
export const loopClock: SliceClock = {
  nowMs: () => performance.now(),
  turn: () => new Promise((resolve) => setImmediate(resolve)),
};

/** Length of a slice: long enough to cost little, short enough for nobody to notice. */
export const SLICE_MS = 2;

export class Slices {
  readonly #clock: SliceClock;
  #beganMs: number;

  constructor(clock: SliceClock) {
    this.#clock = clock;
    this.#beganMs = clock.nowMs();
  }

  /** The result of `one` for each item; between two items a slice may end. */
  async map<Item, Result>(
    items: Iterable<Item>,
    one: (item: Item, index: number) => Result | Promise<Result>,
  ): Promise<Result[]> {
    const results: Result[] = [];
    for (const item of items) {
      const result = one(item, results.length);
      results.push(result instanceof Promise ? await result : result);
      await this.breathe();
    }
    return results;
  }

  /** The end of a slice, if it has been long enough. */
  async breathe(): Promise<void> {
    if (this.#clock.nowMs() - this.#beganMs < SLICE_MS) return;
    await this.#clock.turn();
    this.#beganMs = this.#clock.nowMs();
  }
}
