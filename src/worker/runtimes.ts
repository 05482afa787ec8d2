/** Runtimes of the Plan in force and of replaced Plans that still have sessions. */
import assert from 'node:assert/strict';
import type { Runtime } from './runtime.js';

/** Interval of checks whether a replaced Plan is still in use. */
const SWEEP_MS = 5_000;

export class Runtimes {
  readonly #byGeneration = new Map<number, Runtime>();
  readonly #inUse: (generation: number) => boolean;
  readonly #forgotten: () => void;
  #current: Runtime | undefined;
  #sweep: NodeJS.Timeout | undefined;

  /**
   * `inUse`: whether the Plan has live sessions; the end of a session is reported in the same turn.
   * `forgotten`: called after Plans were dropped.
   */
  constructor(inUse: (generation: number) => boolean, forgotten: () => void) {
    this.#inUse = inUse;
    this.#forgotten = forgotten;
  }

  /** Puts a Plan in force; keeps the previous one until its last session has ended. */
  add(runtime: Runtime): void {
    const replaces = this.#current !== undefined;
    this.#current = runtime;
    this.#byGeneration.set(runtime.plan.generation, runtime);
    // Only between turns: within a turn the end of a session may not have been reported yet.
    if (replaces) this.#sweep ??= setInterval(() => this.#forgetUnused(), SWEEP_MS).unref();
  }

  get current(): Runtime | undefined {
    return this.#current;
  }

  of(generation: number): Runtime {
    const runtime = this.#byGeneration.get(generation);
    assert(runtime !== undefined, `Plan ${generation} is gone, and a session that began with it is not`);
    return runtime;
  }

  /** Ids of the endpoints of all kept Plans. */
  endpoints(): Set<number> {
    const plans = [...this.#byGeneration.values()].map(({ plan }) => plan);
    return new Set(plans.flatMap(({ ids }) => ids.endpoints.flat()));
  }

  close(): void {
    clearInterval(this.#sweep);
    this.#sweep = undefined;
  }

  #forgetUnused(): void {
    const before = this.#byGeneration.size;
    for (const [generation, runtime] of this.#byGeneration) {
      if (runtime !== this.#current && !this.#inUse(generation)) this.#byGeneration.delete(generation);
    }
    if (this.#byGeneration.size < before) this.#forgotten();
    if (this.#byGeneration.size === 1) this.close();
  }
}
