/** State of each worker, and promises for all workers having reached a state. */

/** `drained`: accepts no more, sessions may be left. `down`: crashed; awaiting restart, or never restarted. */
export type WorkerState = 'starting' | 'accepting' | 'drained' | 'ended' | 'down';

export class Roster {
  readonly #states: WorkerState[];
  #waiting: { readonly states: readonly WorkerState[]; readonly resolve: () => void }[] = [];

  constructor(workers: number) {
    this.#states = Array.from({ length: workers }, () => 'down');
  }

  get workers(): number[] {
    return [...this.#states.keys()];
  }

  is(worker: number, ...states: readonly WorkerState[]): boolean {
    return states.includes(this.#states[worker] as WorkerState);
  }

  enter(worker: number, state: WorkerState): void {
    this.#states[worker] = state;
    this.#waiting = this.#waiting.filter(({ states, resolve }) => {
      if (!this.#all(states)) return true;
      resolve();
      return false;
    });
  }

  untilAll(...states: readonly WorkerState[]): Promise<void> {
    if (this.#all(states)) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting.push({ states, resolve });
    });
  }

  #all(states: readonly WorkerState[]): boolean {
    return this.#states.every((state) => states.includes(state));
  }
}
