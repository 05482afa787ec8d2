/**
 * All workers together: the resources they share (sockets, inboxes, counters, room), start, publication and drain. The
 * daemon decides when; the supervisor keeps each worker running.
 */
import { fileURLToPath } from 'node:url';
import { type Acceptor, native } from '../addon.js';
import { systemClock } from '../base/clock.js';
import type { Logger } from '../base/log.js';
import type { LocalCode } from '../base/user-module.js';
import { createCounters } from '../metrics/memory.js';
import { createRoom, Room } from '../metrics/room.js';
import type { ServerConfig } from '../model/config.js';
import type { FromWorker, ListeningSocket, ToWorker, WorkerSetup } from '../model/message.js';
import type { Plan } from '../model/plan.js';
import { Heartbeats, heartbeatLimits } from './heartbeats.js';
import { InlineRunner } from './inline.js';
import { WorkerPool } from './pool.js';
import { type Publication, type Published, Publisher } from './publication.js';
import { LiveSessions } from './sessions.js';
import { Supervisor, type WorkerRunner } from './supervisor.js';

/** Grace after the drain deadline before threads are terminated. */
const GRACE_MS = 2000;

/** Time for workers to end their sessions on a cut before threads are terminated. */
const CUT_MS_MAX = 500;

const WORKER_MODULE = fileURLToPath(new URL('../worker/main.js', import.meta.url));

/** Listening sockets; open before the first worker starts until the last one stops accepting. */
export interface Sockets {
  /**
   * Sockets of a place among the workers, 0 to `workers` - 1: its own and the shared ones; in handoff mode place 0 has
   * all, for the primary. Listeners index the Plan of the same change.
   */
  of(place: number): ListeningSocket[];
  /** Idempotent. */
  close(): void;
}

/** How connections reach workers: a socket for each, or accepted by the primary. */
export type AcceptMode = ServerConfig['accept'];

/** All that is in force at once: a change is whole or not at all. */
export interface PlaneChange {
  /** Generations must ascend, also over changes that were refused. */
  readonly plan: Plan;
  readonly sockets: Sockets;
  /** Number of workers, 1 to 256. */
  readonly workers: number;
  readonly accept: AcceptMode;
  readonly logLevel: string;
  /** Splice pipes per worker, for workers that start from now on. */
  readonly pipes: number;
}

export interface DataPlaneOptions {
  readonly log: Logger;
  /** Takes finished log lines of workers. */
  readonly write: (lines: string) => void;
  /** Present: the one worker runs on the calling thread, where Plans may name these functions. */
  readonly local?: LocalCode;
}

export class DataPlane {
  /** Live sessions: listed, counted, ended one by one. */
  readonly sessions: LiveSessions;
  /** Counter memory, one per worker. */
  readonly buffers: readonly SharedArrayBuffer[];
  readonly #options: DataPlaneOptions;
  /** In force. */
  #current: PlaneChange;
  readonly #roomMemory = createRoom();
  readonly #room = new Room(this.#roomMemory);
  readonly #inboxes: number[];
  readonly #heartbeats: Heartbeats;
  readonly #pool: WorkerRunner & { readonly running: readonly number[]; terminate(): Promise<void> };
  readonly #supervisor: Supervisor;
  #acceptor: Acceptor | null = null;
  readonly #publisher: Publisher;

  constructor(first: PlaneChange, options: DataPlaneOptions) {
    const { workers, accept } = first;
    this.#current = first;
    this.#options = options;
    this.buffers = Array.from({ length: workers }, () => createCounters());
    this.#inboxes = accept === 'handoff' ? Array.from({ length: workers }, () => native.createInbox()) : [];
    this.#heartbeats = new Heartbeats(workers);
    const setup = (worker: number) => this.#setupOf(worker);
    this.#pool =
      options.local === undefined
        ? new WorkerPool(WORKER_MODULE, setup)
        : new InlineRunner(WORKER_MODULE, setup, options.local);
    const events = {
      heard: (worker: number, message: FromWorker) => this.#heard(worker, message),
      hung: (worker: number) => this.#hung(worker),
      died: (worker: number, error: Error, retryMs: number | null) => this.#died(worker, error, retryMs),
    };
    this.#supervisor = new Supervisor(workers, this.#pool, events, systemClock, this.#heartbeats);
    const publishing = {
      post: (worker: number, message: ToWorker) => this.#pool.post(worker, message),
      behind: (worker: number, error: string) => this.#behind(worker, error),
    };
    this.#publisher = new Publisher(this.#publicationOf(first), publishing, systemClock);
    this.sessions = new LiveSessions(
      { running: () => this.#pool.running, post: publishing.post },
      systemClock,
    );
  }

  /** The Plan in force. */
  get plan(): Plan {
    return this.#publisher.plan;
  }

  /** Number of workers that accept. */
  get accepting(): number {
    return this.#supervisor.accepting;
  }

  /** Number of workers whose event loop turns, accepting or not. */
  get beating(): number {
    return this.#supervisor.beating;
  }

  /** Open connections. */
  get open(): number {
    return this.#room.open;
  }

  get restarts(): number {
    return this.#supervisor.restarts;
  }

  get hangs(): number {
    return this.#supervisor.hangs;
  }

  /** Resolves when all workers accept on all listeners. Rejects with the error of a worker that did not start. */
  async start(): Promise<void> {
    await this.#supervisor.start();
    if (this.#inboxes.length === 0) return;
    this.#acceptor = new native.Acceptor(this.#inboxes, {
      room: this.#room.words,
      maxConnections: this.plan.limits.maxConnections,
    });
    for (const { fd, listener } of this.#current.sockets.of(0)) this.#acceptor.listen(fd, listener);
  }

  /**
   * Puts the change into force in all workers or in none. Only the newest waiting change is kept. Sockets that are in
   * force no more may be closed when it is `committed`, those that came with it when it is not.
   */
  async change(next: PlaneChange): Promise<Published> {
    const published = await this.#publisher.publish(this.#publicationOf(next));
    if (published.result === 'committed') this.#current = next;
    if (published.result === 'refused') {
      const { worker, error } = published;
      const fields = { generation: next.plan.generation, worker, error };
      this.#options.log.error(fields, 'a worker refused a new configuration, the current one stays');
    }
    return published;
  }

  /** True if every session ended by itself; false if workers died or exceeded the deadline (then call `close`). */
  async drain(deadlineMs: number): Promise<boolean> {
    this.#publisher.close();
    this.#acceptor?.stopAccepting();
    const before = this.#room.cutShort;
    const { acceptingStopped, ended } = this.#supervisor.drain(deadlineMs);
    void acceptingStopped.then(() => this.#current.sockets.close());
    return Promise.race([ended.then(() => this.#room.cutShort === before), elapsed(deadlineMs + GRACE_MS)]);
  }

  /** Ends every session at once, each with its log line; does not wait for a hung worker. */
  async cut(): Promise<void> {
    this.#publisher.close();
    this.#acceptor?.stopAccepting();
    await Promise.race([this.#supervisor.cut(), elapsed(CUT_MS_MAX)]);
  }

  /** Terminates the workers and with them their sessions. Idempotent. */
  async close(): Promise<void> {
    this.#publisher.close();
    this.#supervisor.abandon();
    this.#acceptor?.close();
    this.#acceptor = null;
    // Sockets first, because a thread may never end.
    this.#current.sockets.close();
    await this.#pool.terminate();
    for (const inbox of this.#inboxes.splice(0)) native.closeInbox(inbox);
  }

  #setupOf(worker: number): Omit<WorkerSetup, 'port' | 'inline'> {
    return {
      worker,
      ...this.#publisher.inForce.deliver(worker),
      inbox: this.#inboxes[worker] ?? -1,
      counters: this.buffers[worker] as SharedArrayBuffer,
      room: this.#roomMemory,
      beats: this.#heartbeats.memory,
      beatMs: heartbeatLimits.beatMs,
      pipes: this.#current.pipes,
    };
  }

  #publicationOf({ plan, sockets, workers, accept, logLevel }: PlaneChange): Publication {
    return {
      plan,
      deliver: (worker) => ({
        plan,
        sockets: accept === 'handoff' ? [] : sockets.of(worker),
        settings: { logLevel, workers },
      }),
    };
  }

  #heard(worker: number, message: FromWorker): void {
    if (message.type === 'log') this.#options.write(message.lines);
    else if (message.type === 'ready') this.#publisher.joined(worker, message.generation);
    else if (message.type === 'sessions') this.sessions.answered(message.request, message.reply);
    else if (message.type !== 'accepting_stopped') this.#publisher.answered(worker, message);
  }

  #behind(worker: number, error: string): void {
    const fields = { generation: this.plan.generation, worker, error };
    this.#options.log.error(fields, 'a worker can not load the current configuration, it keeps an older one');
  }

  #hung(worker: number): void {
    const silent_ms = heartbeatLimits.lookMs * heartbeatLimits.hungLooksMax;
    this.#options.log.error({ worker, silent_ms }, 'a worker hangs and is ended');
  }

  #died(worker: number, error: Error, retryMs: number | null): void {
    this.#publisher.gone(worker, error.message);
    this.sessions.gone(worker);
    const fields = { worker, error: error.message, stack: error.stack };
    if (retryMs === null) this.#options.log.error(fields, 'a worker died');
    else this.#options.log.error({ ...fields, retry_ms: retryMs }, 'a worker died and is replaced');
  }
}

function elapsed(ms: number): Promise<false> {
  return new Promise((resolve) => setTimeout(() => resolve(false), ms).unref());
}
