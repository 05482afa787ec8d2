/** Long work in slices, between which the thread serves whatever else there is. Clock and turn are arguments. */
export interface SliceClock {
  nowMs(): number;
  /** Resolves when the event loop has been round. */
  turn(): Promise<void>;
  /** Resolves when the thread has rested, too. */
  rest(): Promise<void>;
}

const REST_MS = 2;

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Of this thread, before it serves anybody. */
export const loopClock: SliceClock = { nowMs: () => performance.now(), turn, rest: turn };

/**
 * Of this thread, while it serves sessions. A thread that is always busy has to wait for its share of the core; one that
 * rests runs as soon as a session wakes it.
 */
export const servingClock: SliceClock = {
  ...loopClock,
  rest: () => new Promise((resolve) => setTimeout(resolve, REST_MS)),
};

/** Length of a slice: long enough to cost little, short enough for nobody to notice. */
export const SLICE_MS = 0.5;
/** Slices without a rest: a small change is done after them. */
const EAGER_SLICES = 8;

export class Slices {
  readonly #clock: SliceClock;
  #beganMs: number;
  #ended = 0;

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
    this.#ended += 1;
    await (this.#ended > EAGER_SLICES ? this.#clock.rest() : this.#clock.turn());
    this.#beganMs = this.#clock.nowMs();
  }
}
