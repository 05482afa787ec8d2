/** The clock as an argument, so that tests advance time by hand. */

export interface Clock {
  /** Monotonic time in milliseconds; its origin is arbitrary. */
  nowMs(): number;
  /** Calls `callback` once, after `ms` milliseconds. Returns a function that cancels it. */
  after(ms: number, callback: () => void): () => void;
}

export const systemClock: Clock = {
  nowMs: () => performance.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};
