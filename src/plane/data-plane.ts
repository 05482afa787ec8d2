/**
 * All workers together: start, changes, drain. The daemon decides when; the supervisor keeps each worker running, the
 * publisher gets a change into all of them or none.
 */
import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { type Admission, native } from '../addon.js';
import { systemClock } from '../base/clock.js';
import type { Logger } from '../base/log.js';
import type { LocalCode } from '../base/user-module.js';
import { createHealthMemory, HealthTable } from '../health/table.js';
import { createRoom, Room } from '../metrics/room.js';
import type { EndpointFailures, FromWorker, ToWorker, WorkerSetup } from '../model/message.js';
import type { Plan } from '../model/plan.js';
import type { Report } from '../model/report.js';
import { createAffinityMemory } from '../upstream/affinity.js';
import { createBuckets } from './buckets.js';
import type { PlaneChange } from './change.js';
import { Equipment, workerLimits } from './equipment.js';
import { Handoff } from './handoff.js';
import { Heartbeats, heartbeatLimits } from './heartbeats.js';
import { InlineRunner } from './inline.js';
import { WorkerPool } from './pool.js';
import { type Publication, type Published, Publisher, refusal } from './publication.js';
import { Reporting } from './reporting.js';
import { LiveSessions } from './sessions.js';
import { Supervisor, type WorkerRunner } from './supervisor.js';

/** Grace after the drain deadline before threads are terminated. */
const GRACE_MS = 2000;

/** Time for workers to end their sessions on a cut before threads are terminated. */
const CUT_MS_MAX = 500;

const WORKER_MODULE = fileURLToPath(new URL('../worker/main.js', import.meta.url));

export interface DataPlaneOptions {
  readonly log: Logger;
  /** Takes finished log lines of workers. */
  readonly write: (lines: Uint8Array) => void;
  /** Present: the one worker runs on the calling thread, where Plans may name these functions. */
  readonly local?: LocalCode;
  /** Takes what workers report beside the log; absent: they report nothing. */
  readonly report?: (reports: readonly Report[]) => void;
  /** Takes what workers tell of sessions that failed because of their endpoint. */
  readonly failed?: (failures: EndpointFailures) => void;
}

/** Over 20 methods: one for each thing that a daemon asks of its workers, and what it asks about them. */
export class DataPlane {
  /** Live sessions: listed, counted, ended one by one. */
  readonly sessions: LiveSessions;
  readonly reporting: Reporting;
  readonly #options: DataPlaneOptions;
  #isChanging = false as boolean;
  /** In force. */
  #current: PlaneChange;
  readonly #equipment = new Equipment();
  /** Numbers of the workers that are wanted, by place. */
  #members: readonly number[];
  readonly #roomMemory = createRoom();
  readonly #healthMemory = createHealthMemory();
  readonly #bucketMemory = createBuckets();
  readonly #affinityMemory = createAffinityMemory();
  readonly #room = new Room(this.#roomMemory);
  readonly #handoff = new Handoff(this.#room.words);
  /** Who may connect. Held here, it outlives every worker. */
  readonly admission: Admission = new native.Admission({ room: this.#room.words });
  readonly #heartbeats = new Heartbeats(workerLimits.max);
  readonly #pool: WorkerRunner & { readonly running: readonly number[]; terminate(): Promise<void> };
  readonly #supervisor: Supervisor;
  readonly #publisher: Publisher;

  constructor(first: PlaneChange, options: DataPlaneOptions) {
    this.#current = first;
    this.#options = options;
    this.#members = this.#equipment.take(first.workers) ?? [];
    const setup = (worker: number) => this.#setupOf(worker);
    this.#pool =
      options.local === undefined
        ? new WorkerPool(WORKER_MODULE, setup)
        : new InlineRunner(WORKER_MODULE, setup, options.local);
    const silent_ms = heartbeatLimits.lookMs * heartbeatLimits.hungLooksMax;
    const events = {
      heard: (worker: number, message: FromWorker) => this.#heard(worker, message),
      hung: (worker: number) => options.log.error({ worker, silent_ms }, 'a worker hangs and is ended'),
      died: (worker: number, error: Error, retryMs: number | null) => this.#died(worker, error, retryMs),
      left: (worker: number) => {
        this.#publisher.left(worker);
        this.#equipment.release(worker);
      },
    };
    this.#supervisor = new Supervisor(this.#pool, events, systemClock, this.#heartbeats);
    const publishing = {
      post: (worker: number, message: ToWorker, inForce?: Plan) => this.#pool.post(worker, message, inForce),
      behind: (worker: number, error: string) => this.#behind(worker, error),
    };
    this.#publisher = new Publisher(this.#publicationOf(first, this.#members), publishing, systemClock);
    const running = { running: () => this.#pool.running, post: publishing.post };
    this.reporting = new Reporting(options.report, running);
    this.sessions = new LiveSessions(running, systemClock);
  }

  /** The Plan in force. */
  get plan(): Plan {
    return this.#publisher.plan;
  }

  /** Counter memory by number of a worker, also of those that left. More may be appended. */
  get buffers(): readonly SharedArrayBuffer[] {
    return this.#equipment.buffers;
  }

  /** Number of workers that accept. */
  get accepting(): number {
    return this.#supervisor.accepting(this.#members);
  }

  /** Number of workers whose event loop turns, accepting or not. */
  get beating(): number {
    return this.#supervisor.beating;
  }

  /** Health of endpoints by id; what is set counts from the next session on. */
  readonly health = new HealthTable(this.#healthMemory);

  /** Open sessions: connections and flows. */
  get open(): number {
    return this.#room.open + this.#room.flows;
  }

  get restarts(): number {
    return this.#supervisor.restarts;
  }

  get hangs(): number {
    return this.#supervisor.hangs;
  }

  /** Resolves when all workers accept on all listeners. Rejects with the error of a worker that did not start. */
  async start(): Promise<void> {
    await this.#supervisor.start(this.#members);
    this.#handoff.prepare(this.#current, this.#equipment.inboxesOf(this.#members));
    this.#handoff.leave();
    this.#handoff.commit();
  }

  /**
   * Puts the change into force in all workers or in none: further workers start first, those that are too many leave
   * last, keeping their sessions. One at a time: the caller waits for the one before. Sockets that are in force no more
   * may be closed when it is `committed`, those that came with it when it is not.
   */
  async change(next: PlaneChange): Promise<Published> {
    assert(!this.#isChanging, 'a change begins before the one before has ended');
    this.#isChanging = true;
    const published = await this.#change(next).finally(() => {
      this.#isChanging = false;
    });
    if (published.result === 'refused') {
      const { worker, error } = published;
      const fields = { generation: next.plan.generation, ...(worker !== null && { worker }), error };
      this.#options.log.error(fields, 'a worker refused a new configuration, the current one stays');
    }
    return published;
  }

  async #change(next: PlaneChange): Promise<Published> {
    if (this.#publisher.isClosed) return { result: 'called_off' };
    const before = this.#members;
    const hired = this.#equipment.take(Math.max(0, next.workers - before.length));
    if (hired === null)
      return refusal(null, 'too many workers that left still have sessions; end these, or restart');
    const members = [...before, ...hired].slice(0, next.workers);
    try {
      await this.#supervisor.grow(hired);
      this.#handoff.prepare(next, this.#equipment.inboxesOf(members));
    } catch (error) {
      await this.#dismiss(hired);
      if (this.#publisher.isClosed) return { result: 'called_off' };
      return refusal(null, `it could not be prepared: ${error instanceof Error ? error.message : error}`);
    }
    const published = await this.#publisher.publish(this.#publicationOf(next, members));
    const isInForce = published.result === 'committed';
    if (isInForce) {
      this.#current = next;
      this.#members = members;
      this.#handoff.commit();
    } else {
      this.#handoff.discard();
    }
    await this.#dismiss(isInForce ? before.slice(next.workers) : hired);
    return published;
  }

  /**
   * Who accepts on these sockets, by number, empties them once more and lets go of them. Call when no connection comes
   * there any more and `Sockets.of` names them no more; they may be closed then.
   */
  release(sockets: readonly number[]): void {
    for (const worker of this.#pool.running) this.#pool.post(worker, { type: 'release', sockets });
    this.#handoff.release(sockets);
  }

  /** Resets the sessions of an endpoint, by id. */
  endpointDown(endpoint: number): void {
    for (const worker of this.#pool.running) this.#pool.post(worker, { type: 'endpoint_down', endpoint });
  }

  /**
   * True if every session ended by itself; false if workers died or exceeded the deadline (then call `close`).
   * `handsOver`: another process has the sockets; flows end at once, for their clients' datagrams come there.
   */
  async drain(deadlineMs: number, handsOver = false): Promise<boolean> {
    this.#publisher.close();
    this.#handoff.stopAccepting();
    const before = this.#room.cutShort;
    const { acceptingStopped, ended } = this.#supervisor.drain(deadlineMs, handsOver);
    void acceptingStopped.then(() => this.#current.sockets.close());
    return Promise.race([ended.then(() => this.#room.cutShort === before), elapsed(deadlineMs + GRACE_MS)]);
  }

  /** Ends every session at once, each with its log line; does not wait for a hung worker. */
  async cut(): Promise<void> {
    this.#publisher.close();
    this.#handoff.stopAccepting();
    await Promise.race([this.#supervisor.cut(), elapsed(CUT_MS_MAX)]);
  }

  /** Terminates the workers and with them their sessions. Idempotent. */
  async close(): Promise<void> {
    this.#publisher.close();
    this.#supervisor.abandon();
    this.#handoff.close();
    // Sockets first, because a thread may never end.
    this.#current.sockets.close();
    await this.#pool.terminate();
    this.#equipment.close();
  }

  #dismiss(workers: readonly number[]): Promise<void> {
    for (const worker of workers) this.#publisher.left(worker);
    return this.#supervisor.leave(workers);
  }

  #setupOf(worker: number): Omit<WorkerSetup, 'port' | 'inline'> {
    return {
      worker,
      ...this.#publisher.inForce.deliver(worker),
      ...this.#equipment.of(worker),
      room: this.#roomMemory,
      buckets: this.#bucketMemory,
      health: this.#healthMemory,
      affinity: this.#affinityMemory,
      beats: this.#heartbeats.memory,
      beatMs: heartbeatLimits.beatMs,
      pipes: this.#current.pipes,
      ...this.reporting.setup,
    };
  }

  /** `members`: numbers of its workers, by place. */
  #publicationOf(change: PlaneChange, members: readonly number[]): Publication {
    const { plan, sockets, workers, accept, logLevel } = change;
    return {
      plan,
      deliver: (worker) => {
        const place = members.indexOf(worker);
        const all = place >= 0 ? sockets.of(place) : [];
        const accepted = accept === 'handoff' ? all.filter(({ transport }) => transport === 'udp') : all;
        return { plan, sockets: accepted, settings: { logLevel, workers, own: change.own() } };
      },
      committing: () => this.#handoff.leave(),
    };
  }

  #heard(worker: number, message: FromWorker): void {
    if (message.type === 'log') this.#options.write(message.lines);
    else if (message.type === 'reports') this.reporting.heard(message.reports);
    else if (message.type === 'failures') this.#options.failed?.(message.failures);
    else if (message.type === 'ready') this.#publisher.joined(worker, message.generation);
    else if (message.type === 'sessions') this.sessions.answered(message.request, message.reply);
    else if (message.type !== 'accepting_stopped') this.#publisher.answered(worker, message);
  }

  #behind(worker: number, error: string): void {
    const fields = { generation: this.plan.generation, worker, error };
    this.#options.log.error(fields, 'a worker can not load the current configuration and is ended');
    this.#pool.kill(worker);
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
