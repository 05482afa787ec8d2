/** The Plans that sessions may still have begun with: the one in force, and those replaced that one is left of. */
import assert from 'node:assert/strict';
import type { Runtime } from './runtime.js';

/** How often it is asked whether a replaced Plan is still in use. */
const SWEEP_MS = 5_000;

export class Runtimes {
  readonly #byGeneration = new Map<number, Runtime>();
  readonly #inUse: (generation: number) => boolean;
  readonly #forgotten: () => void;
  #current: Runtime | undefined;
  #sweep: NodeJS.Timeout | undefined;

  /**
   * `inUse`: a session that began with the Plan is alive. Its end is shown in the turn in which it ends.
   * `forgotten`: fewer Plans are kept than before.
   */
  constructor(inUse: (generation: number) => boolean, forgotten: () => void) {
    this.#inUse = inUse;
    this.#forgotten = forgotten;
  }

  /** Puts a Plan in force; the one before is kept until its last session has ended. */
  add(runtime: Runtime): void {
    const replaces = this.#current !== undefined;
    this.#current = runtime;
    this.#byGeneration.set(runtime.plan.generation, runtime);
    // Between turns: within one, a session may have ended and its end not been shown yet.
    if (replaces) this.#sweep ??= setInterval(() => this.#forgetUnused(), SWEEP_MS).unref();
  }

  of(generation: number): Runtime {
    const runtime = this.#byGeneration.get(generation);
    assert(runtime !== undefined, `Plan ${generation} is gone, and a session that began with it is not`);
    return runtime;
  }

  /** Ids of the endpoints that any of the Plans has. */
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
