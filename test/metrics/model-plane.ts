/** Model of a data plane's counting: the engine's writes to cells, and the rows created by TypeScript. */
import { WorkerCounters } from '../../src/metrics/counters.js';
import { createCounters } from '../../src/metrics/memory.js';
import type { Named } from '../../src/model/ids.js';
import type { Reason } from '../../src/model/session.js';
import { IdRegistry } from '../../src/plane/ids.js';
import { samplesOf } from '../support/counts.js';
import type { Driver, OpenSession, World } from './books.js';
import { WORKERS } from './books.js';
import { EngineCounts } from './engine-counts.js';

/** One life of a worker: inherited counters, state built from the Plans so far, and sessions. */
class Life {
  readonly sessions = new Set<OpenSession>();
  readonly #buffer: SharedArrayBuffer;
  readonly #counters: WorkerCounters;
  readonly #counts = new Map<Named, EngineCounts>();
  readonly #ids: IdRegistry;

  constructor(buffer: SharedArrayBuffer, ids: IdRegistry) {
    this.#buffer = buffer;
    this.#counters = new WorkerCounters(buffer);
    this.#ids = ids;
  }

  adopt(plan: Named): EngineCounts {
    const known = this.#counts.get(plan);
    const counts = known ?? EngineCounts.of(this.#buffer, this.#ids, plan, this.#counters);
    this.#counts.set(plan, counts);
    return counts;
  }

  end(session: OpenSession, reason: Reason): void {
    const { world, listener, protocol, upstream } = session;
    this.adopt(world).end(listener, protocol, reason, 20);
    if (upstream >= 0) this.adopt(world).release(upstream, 0);
    this.sessions.delete(session);
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
    life.sessions.add(session);
    counts.accept(session.listener);
  }

  async refuse(session: OpenSession): Promise<void> {
    this.#at(session).counts.refuse(session.listener);
  }

  async identify(session: OpenSession): Promise<void> {
    const { counts } = this.#at(session);
    counts.identify(session.listener, session.protocol, 3);
    counts.connect(session.upstream, 0, 1);
  }

  async end(session: OpenSession, reason: Reason): Promise<Reason> {
    this.#at(session).life.end(session, reason);
    return reason;
  }

  /** The engine ends open sessions at thread clean-up. */
  async die(worker: number): Promise<void> {
    const { sessions } = this.#lives[worker] as Life;
    for (const session of [...sessions]) this.#at(session).life.end(session, 'reset');
    this.#lives[worker] = new Life(this.buffers[worker] as SharedArrayBuffer, this.ids);
  }

  samples() {
    return samplesOf(this.buffers, this.ids);
  }

  #at({ worker, world }: Pick<OpenSession, 'worker' | 'world'>) {
    const life = this.#lives[worker] as Life;
    return { life, counts: life.adopt(world) };
  }
}
