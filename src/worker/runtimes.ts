/** Runtimes of the Plan in force and of replaced Plans that still have sessions. */
import assert from 'node:assert/strict';
import type { KcpProfile } from '../model/kcp.js';
import type { Runtime } from './runtime.js';

/** Interval of checks whether a replaced Plan is still in use. */
const SWEEP_MS = 5_000;

/** Sweeps until garbage is collected although changes go on: each collection stops the thread for milliseconds. */
const COLLECT_SWEEPS = 6;

export interface RuntimesParts {
  /** Whether the Plan has live sessions; the end of a session is reported in the same turn. */
  inUse(generation: number): boolean;
  /** Called after Plans were dropped. */
  forgotten(): void;
  /** Called when changes have come to rest, or go on for long: Plans that were replaced or dropped have left garbage. */
  collect(): void;
}

export class Runtimes {
  readonly #byGeneration = new Map<number, Runtime>();
  readonly #parts: RuntimesParts;
  #current: Runtime | undefined;
  #sweep: NodeJS.Timeout | undefined;
  /** Sweeps since there is garbage; 0: there is none. */
  #garbageSweeps = 0;
  /** Plans were replaced since the last sweep. */
  #isChanging = false as boolean;

  constructor(parts: RuntimesParts) {
    this.#parts = parts;
  }

  /** Puts a Plan in force; keeps the previous one until its last session has ended. */
  add(runtime: Runtime): void {
    const replaces = this.#current !== undefined;
    this.#current = runtime;
    this.#byGeneration.set(runtime.plan.generation, runtime);
    // Only between turns: within a turn the end of a session may not have been reported yet.
    if (!replaces) return;
    this.#isChanging = true;
    this.#sweep ??= setInterval(() => this.#forgetUnused(), SWEEP_MS).unref();
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

  /** Of a profile of reliable UDP, by id, of any kept Plan. */
  kcpProfile(id: number): KcpProfile | undefined {
    for (const { plan } of this.#byGeneration.values()) {
      const profile = plan.kcp[plan.ids.kcp.indexOf(id)];
      if (profile !== undefined) return profile;
    }
    return undefined;
  }

  close(): void {
    clearInterval(this.#sweep);
    this.#sweep = undefined;
  }

  #forgetUnused(): void {
    const { inUse, forgotten } = this.#parts;
    const before = this.#byGeneration.size;
    for (const [generation, runtime] of this.#byGeneration) {
      if (runtime !== this.#current && !inUse(generation)) this.#byGeneration.delete(generation);
    }
    const hasForgotten = this.#byGeneration.size < before;
    if (hasForgotten) forgotten();
    if (hasForgotten || this.#isChanging || this.#garbageSweeps > 0) this.#garbageSweeps += 1;
    this.#collect();
    if (this.#byGeneration.size === 1 && this.#garbageSweeps === 0) this.close();
  }

  #collect(): void {
    const isDue = this.#garbageSweeps > 0 && (!this.#isChanging || this.#garbageSweeps >= COLLECT_SWEEPS);
    this.#isChanging = false;
    if (!isDue) return;
    this.#garbageSweeps = 0;
    this.#parts.collect();
  }
}
