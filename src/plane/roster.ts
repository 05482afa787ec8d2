/** State of each worker, and promises for workers having reached a state. */

/** `drained`: accepts no more, sessions may be left. `down`: crashed; awaiting restart, or never restarted. */
export type WorkerState = 'starting' | 'accepting' | 'drained' | 'ended' | 'down';

interface Wait {
  readonly states: readonly WorkerState[];
  /** Undefined: all that there are at the time. */
  readonly workers: readonly number[] | undefined;
  readonly resolve: () => void;
}

export class Roster {
  readonly #states = new Map<number, WorkerState>();
  #waiting: Wait[] = [];

  get workers(): number[] {
    return [...this.#states.keys()];
  }

  /** A worker that was removed has ended. */
  is(worker: number, ...states: readonly WorkerState[]): boolean {
    return states.includes(this.#states.get(worker) ?? 'ended');
  }

  enter(worker: number, state: WorkerState): void {
    this.#states.set(worker, state);
    this.#resolve();
  }

  remove(worker: number): void {
    this.#states.delete(worker);
    this.#resolve();
  }

  /** Resolves when all workers are in one of these states, or those given. */
  until(states: readonly WorkerState[], workers?: readonly number[]): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push({ states, workers, resolve });
      this.#resolve();
    });
  }

  #resolve(): void {
    this.#waiting = this.#waiting.filter(({ states, workers = this.workers, resolve }) => {
      if (!workers.every((worker) => this.is(worker, ...states))) return true;
      resolve();
      return false;
    });
  }
}
