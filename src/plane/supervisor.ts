/**
 * Keeps the workers running: starts them, replaces those that die or hang, lets some leave, drains and ends them. Threads
 * and messages belong to the Runner.
 */
import type { Clock } from '../base/clock.js';
import { LifeEnd } from '../base/life-end.js';
import type { FromWorker, ToWorker } from '../model/message.js';
import type { Plan } from '../model/plan.js';
import { Backoff } from './backoff.js';
import { type Heartbeats, heartbeatLimits, type Pulse } from './heartbeats.js';
import { Roster } from './roster.js';

export interface WorkerRunner {
  /** Resolves when the worker has ended on request, rejects when it has died. */
  run(worker: number, onMessage: (message: FromWorker) => void): Promise<void>;
  /** `inForce`: as for `send` (./delivery.ts). */
  post(worker: number, message: ToWorker, inForce?: Plan): void;
  /** Terminates a worker that does not respond; its `run` rejects. */
  kill(worker: number): void;
}

export interface SupervisorEvents {
  /** Called with every message of a worker. */
  heard(worker: number, message: FromWorker): void;
  /** The worker hangs and is being terminated. */
  hung(worker: number): void;
  /** Called when a worker has died; it is replaced after `retryMs`, or never if null. */
  died(worker: number, error: Error, retryMs: number | null): void;
  /** A worker that was to leave is gone: its number is free. */
  left(worker: number): void;
}

export class Supervisor {
  readonly #roster = new Roster();
  readonly #pulses = new Map<number, Pulse>();
  readonly #runner: WorkerRunner;
  readonly #events: SupervisorEvents;
  readonly #clock: Clock;
  readonly #heartbeats: Heartbeats;
  readonly #backoff: Backoff;
  #stopLooking: () => void = () => {};
  #phase: 'starting' | 'running' | 'draining' | 'over' = 'starting';
  /** Workers that have not accepted yet → what a death means: a restart would fail again. */
  readonly #trials = new Map<number, (error: Error) => void>();
  /** Workers that finish their sessions and do not come back. */
  readonly #leaving = new Set<number>();
  readonly #isOver = new LifeEnd();
  /** Workers replaced so far. */
  restarts = 0;
  /** Workers terminated because they hung. */
  hangs = 0;

  constructor(runner: WorkerRunner, events: SupervisorEvents, clock: Clock, heartbeats: Heartbeats) {
    this.#backoff = new Backoff(clock);
    this.#heartbeats = heartbeats;
    this.#runner = runner;
    this.#events = events;
    this.#clock = clock;
  }

  /** How many of these workers accept. */
  accepting(workers: readonly number[]): number {
    const accepts = (worker: number) =>
      this.#roster.is(worker, 'accepting') && this.#pulses.get(worker) === 'beating';
    return workers.filter(accepts).length;
  }

  /** Number of workers whose event loop turns, accepting or not. */
  get beating(): number {
    const beats = (worker: number) =>
      !this.#roster.is(worker, 'down', 'ended') && this.#pulses.get(worker) === 'beating';
    return this.#roster.workers.filter(beats).length;
  }

  /** Resolves when every worker accepts. Rejects when one dies before. */
  async start(workers: readonly number[]): Promise<void> {
    this.#lookLater();
    await this.grow(workers);
    this.#phase = 'running';
  }

  /** Starts further workers; resolves when they accept. Rejects when one dies before: let all of them leave then. */
  async grow(workers: readonly number[]): Promise<void> {
    if (this.#phase === 'over') throw toldToEnd();
    const failed = new Promise<never>((_, reject) => {
      for (const worker of workers) this.#trials.set(worker, reject);
    });
    for (const worker of workers) void this.#run(worker);
    try {
      await Promise.race([this.#roster.until(['accepting'], workers), failed]);
    } finally {
      for (const worker of workers) this.#trials.delete(worker);
    }
  }

  /** Lets workers end when their sessions have. Resolves when they accept no more. */
  async leave(workers: readonly number[]): Promise<void> {
    for (const worker of workers) {
      this.#leaving.add(worker);
      this.#backoff.forget(worker);
      if (this.#roster.is(worker, 'down')) this.#left(worker);
      else this.#runner.post(worker, { type: 'drain', deadlineMs: null });
    }
    await this.#isOver.before(this.#roster.until(['drained', 'ended'], workers));
  }

  /** Drains all workers within `deadlineMs`. During the start it drains only those that accept already. */
  drain(deadlineMs: number, handsOver = false): { acceptingStopped: Promise<void>; ended: Promise<void> } {
    if (this.#phase === 'starting') this.#callOffStart();
    this.#end({ type: 'drain', deadlineMs, ...(handsOver && { handsOver }) });
    return {
      acceptingStopped: this.#roster.until(['drained', 'ended', 'down']),
      ended: this.#roster.until(['ended', 'down']),
    };
  }

  /** Ends all sessions now; resolves when the workers have ended. */
  cut(): Promise<void> {
    this.#end({ type: 'cut' });
    return this.#roster.until(['ended', 'down']);
  }

  /** Deaths of workers are expected from now on; a pending `start` rejects. */
  abandon(): void {
    this.#phase = 'over';
    this.#failTrials();
    this.#isOver.come();
    this.#stopLooking();
    this.#backoff.callOff();
  }

  #end(message: ToWorker): void {
    this.#phase = 'draining';
    this.#backoff.callOff();
    for (const worker of this.#roster.workers) this.#runner.post(worker, message);
  }

  #lookLater(): void {
    this.#stopLooking = this.#clock.after(heartbeatLimits.lookMs, () => {
      for (const worker of this.#roster.workers) this.#look(worker);
      this.#lookLater();
    });
  }

  #look(worker: number): void {
    if (this.#roster.is(worker, 'down', 'ended') || this.#pulses.get(worker) === 'hung') return;
    const pulse = this.#heartbeats.look(worker);
    this.#pulses.set(worker, pulse);
    if (pulse !== 'hung') return;
    this.hangs += 1;
    this.#events.hung(worker);
    this.#runner.kill(worker);
  }

  async #run(worker: number): Promise<void> {
    this.#backoff.begin(worker);
    this.#pulses.set(worker, 'beating');
    this.#heartbeats.begin(worker);
    this.#roster.enter(worker, 'starting');
    try {
      await this.#runner.run(worker, (message) => this.#heard(worker, message));
      if (this.#phase !== 'draining' && !this.#leaving.has(worker))
        throw new Error('it ended without being told to');
      this.#roster.enter(worker, 'ended');
      if (this.#leaving.has(worker)) this.#left(worker);
    } catch (error) {
      this.#died(worker, causeOfDeath(this.#pulses.get(worker), error));
    }
  }

  #heard(worker: number, message: FromWorker): void {
    if (message.type === 'ready') this.#roster.enter(worker, 'accepting');
    else if (message.type === 'accepting_stopped') this.#roster.enter(worker, 'drained');
    this.#events.heard(worker, message);
  }

  #died(worker: number, error: Error): void {
    if (this.#phase === 'over') return;
    const fail = this.#trials.get(worker);
    const isReplaced = this.#phase === 'running' && !fail && !this.#leaving.has(worker);
    const retryMs = isReplaced ? this.#backoff.schedule(worker, () => this.#replace(worker)) : null;
    this.#events.died(worker, error, retryMs);
    this.#roster.enter(worker, 'down');
    if (this.#leaving.has(worker)) this.#left(worker);
    fail?.(error);
  }

  #left(worker: number): void {
    this.#leaving.delete(worker);
    this.#pulses.delete(worker);
    this.#backoff.forget(worker);
    this.#roster.remove(worker);
    this.#events.left(worker);
  }

  #replace(worker: number): void {
    this.restarts += 1;
    void this.#run(worker);
  }

  /** Workers still loading have no sessions and are not waited for; one that accepts nevertheless is drained too. */
  #callOffStart(): void {
    this.#failTrials();
    for (const worker of this.#roster.workers)
      if (this.#roster.is(worker, 'starting')) this.#roster.enter(worker, 'down');
  }

  #failTrials(): void {
    for (const fail of this.#trials.values()) fail(toldToEnd());
  }
}

function causeOfDeath(pulse: Pulse | undefined, error: unknown): Error {
  if (pulse === 'hung') return new Error('it hung: a handler or a validator blocked its thread');
  return error instanceof Error ? error : new Error(String(error));
}

const toldToEnd = () => new Error('it was told to end');
