/** A data plane as its counters see it: the addon's writes to its cells, and TypeScript's counts. */
import { WorkerCounters } from '../../src/metrics/counters.js';
import { createCounters } from '../../src/metrics/memory.js';
import { reconcile } from '../../src/metrics/reconcile.js';
import type { Named } from '../../src/model/ids.js';
import type { Reason } from '../../src/model/session.js';
import { IdRegistry } from '../../src/plane/ids.js';
import { PlanCounts } from '../../src/worker/plan-counts.js';
import { samplesOf } from '../support/counts.js';
import type { Driver, OpenSession, World } from './books.js';
import { WORKERS } from './books.js';

/** One life of a worker: the counters that it inherits, and what it has built from the Plans so far. */
class Life {
  readonly counters: WorkerCounters;
  readonly cells: Float64Array;
  readonly #counts = new Map<Named, PlanCounts>();
  readonly #ids: IdRegistry;

  constructor(buffer: SharedArrayBuffer, ids: IdRegistry) {
    this.counters = new WorkerCounters(buffer);
    this.cells = new Float64Array(buffer);
    this.#ids = ids;
  }

  adopt(plan: Named): PlanCounts {
    const known = this.#counts.get(plan);
    const counts = known ?? new PlanCounts(this.counters, this.#ids.of(plan));
    this.#counts.set(plan, counts);
    for (const listener of plan.listeners.keys()) counts.listenerCells(listener);
    return counts;
  }

  /** As the addon does. */
  write(cell: number, amount = 1): void {
    this.cells[cell] = (this.cells[cell] as number) + amount;
  }
}

export class ModelPlane implements Driver {
  readonly ids = new IdRegistry();
  readonly buffers: SharedArrayBuffer[];
  readonly #lives: Life[];

  /** `bytes`: size of each worker's counters. */
  constructor(bytes?: number) {
    this.buffers = Array.from({ length: WORKERS }, () => createCounters(bytes));
    this.#lives = this.buffers.map((buffer) => new Life(buffer, this.ids));
  }

  async publish(world: World): Promise<void> {
    for (const life of this.#lives) life.adopt(world);
  }

  async accept(session: OpenSession): Promise<void> {
    const { life, counts } = this.#at(session);
    life.write(counts.listenerCells(session.listener).acceptedCell);
  }

  async refuse(session: OpenSession): Promise<void> {
    const { life, counts } = this.#at(session);
    const { acceptedCell, refusedCell } = counts.listenerCells(session.listener);
    life.write(acceptedCell);
    life.write(refusedCell);
  }

  async identify(session: OpenSession): Promise<void> {
    const { counts } = this.#at(session);
    counts.identified(session.listener, session.protocol, 3);
    counts.connected(session.upstream, 0, 1);
  }

  async end({ listener, protocol, upstream, ...session }: OpenSession, reason: Reason): Promise<Reason> {
    const { counts } = this.#at(session);
    counts.ended(listener, protocol, reason, 20);
    if (upstream >= 0) counts.released(upstream, 0);
    return reason;
  }

  async die(worker: number): Promise<void> {
    const buffer = this.buffers[worker] as SharedArrayBuffer;
    reconcile(buffer);
    this.#lives[worker] = new Life(buffer, this.ids);
  }

  samples() {
    return samplesOf(this.buffers, this.ids);
  }

  #at({ worker, world }: Pick<OpenSession, 'worker' | 'world'>) {
    const life = this.#lives[worker] as Life;
    return { life, counts: life.adopt(world) };
  }
}
