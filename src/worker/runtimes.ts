/** The Plans that sessions may still have begun with: the one in force, and those replaced a short while ago. */
import assert from 'node:assert/strict';
import type { Plan } from '../model/plan.js';
import type { Runtime } from './runtime.js';

/** For timers that are a little late. */
const GRACE_MS = 10_000;

export class Runtimes {
  readonly #byGeneration = new Map<number, Runtime>();
  #current: Runtime | undefined;

  /** Puts a Plan in force; the one before is kept until the last session that began with it has been shown. */
  add(runtime: Runtime): void {
    const replaced = this.#current;
    this.#current = runtime;
    this.#byGeneration.set(runtime.plan.generation, runtime);
    if (replaced === undefined) return;
    const forget = () => this.#byGeneration.delete(replaced.plan.generation);
    setTimeout(forget, unseenMsMax(replaced.plan) + GRACE_MS).unref();
  }

  of(generation: number): Runtime {
    const runtime = this.#byGeneration.get(generation);
    assert(runtime !== undefined, `Plan ${generation} is gone, and a session that began with it is not`);
    return runtime;
  }
}

/** How long a session may last before it is shown for the first time; then it keeps its Plan itself. */
function unseenMsMax({ limits, listeners }: Plan): number {
  return limits.identifyTimeoutMs + Math.max(...listeners.map(({ onSilence }) => onSilence?.afterMs ?? 0));
}
