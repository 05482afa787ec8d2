/**
 * Detects hung workers. Each worker increments a counter in shared memory from its event loop; the primary looks once
 * per second and counts consecutive looks without a new beat. Looks instead of elapsed time: a suspended process or
 * machine makes no looks, and a delayed primary makes only one late look.
 */

export const heartbeatLimits = {
  /** Interval between beats of a worker. */
  beatMs: 1000,
  /** Interval between looks of the primary. */
  lookMs: 1000,
  /** Looks without a beat before a worker no longer counts as accepting. */
  silentLooksMax: 3,
  /** Looks without a beat before a worker is terminated and replaced: bounds blocking handlers and validators. */
  hungLooksMax: 10,
} as const;

/** Result of a look. */
export type Pulse = 'beating' | 'silent' | 'hung';

interface Seen {
  beat: number;
  silentLooks: number;
}

export class Heartbeats {
  /** One cell per worker, incremented by the worker. */
  readonly memory: SharedArrayBuffer;
  readonly #beats: Int32Array;
  readonly #seen: Seen[] = [];

  /** `workersMax`: above the highest number of a worker. */
  constructor(workersMax: number) {
    this.memory = new SharedArrayBuffer(workersMax * Int32Array.BYTES_PER_ELEMENT);
    this.#beats = new Int32Array(this.memory);
  }

  /** Called when a worker starts; before its first beat it is loading and counts as beating. */
  begin(worker: number): void {
    Atomics.store(this.#beats, worker, 0);
    this.#seen[worker] = { beat: 0, silentLooks: 0 };
  }

  /** Call every `lookMs`. */
  look(worker: number): Pulse {
    const seen = this.#seen[worker] as Seen;
    const beat = Atomics.load(this.#beats, worker);
    if (beat === 0 || beat !== seen.beat) {
      this.#seen[worker] = { beat, silentLooks: 0 };
      return 'beating';
    }
    seen.silentLooks += 1;
    if (seen.silentLooks >= heartbeatLimits.hungLooksMax) return 'hung';
    return seen.silentLooks >= heartbeatLimits.silentLooksMax ? 'silent' : 'beating';
  }
}
