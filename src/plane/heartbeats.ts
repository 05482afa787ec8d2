/**
 * Which workers stand still. Each beats in shared memory from its event loop; the primary looks once a second and
 * counts the looks that found no new beat. Looks, not time: while the process or the machine stands still nobody
 * looks, and a primary that is held up itself comes late to look, but only once.
 */

export const heartbeatLimits = {
  beatMs: 1000,
  lookMs: 1000,
  /** Looks without a beat until a worker is not counted as accepting. */
  silentLooksMax: 3,
  /** And until it is ended and replaced: no handler and no validator may hold its thread so long. */
  hungLooksMax: 10,
} as const;

/** What a look found. */
export type Pulse = 'beating' | 'silent' | 'hung';

interface Seen {
  beat: number;
  silentLooks: number;
}

export class Heartbeats {
  /** One cell a worker, for the worker to add to. */
  readonly memory: SharedArrayBuffer;
  readonly #beats: Int32Array;
  readonly #seen: Seen[];

  constructor(workers: number) {
    this.memory = new SharedArrayBuffer(workers * Int32Array.BYTES_PER_ELEMENT);
    this.#beats = new Int32Array(this.memory);
    this.#seen = Array.from({ length: workers }, () => ({ beat: 0, silentLooks: 0 }));
  }

  /** A worker's life begins: it is not judged before its first beat, for it has to load first. */
  begin(worker: number): void {
    Atomics.store(this.#beats, worker, 0);
    this.#seen[worker] = { beat: 0, silentLooks: 0 };
  }

  /** To be called every `lookMs`. */
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
