/**
 * Keeps the workers running: waits until all accept, replaces those that die or hang, drains and ends them. Threads and
 * messages belong to the Runner.
 */
import type { Clock } from '../base/clock.js';
import type { FromWorker, ToWorker } from '../model/message.js';
import { Backoff } from './backoff.js';
import { type Heartbeats, heartbeatLimits, type Pulse } from './heartbeats.js';
import { Roster } from './roster.js';

export interface WorkerRunner {
  /** Resolves when the worker has ended on request, rejects when it has died. */
  run(worker: number, onMessage: (message: FromWorker) => void): Promise<void>;
  post(worker: number, message: ToWorker): void;
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
}

export class Supervisor {
  readonly #roster: Roster;
  readonly #pulses: Pulse[];
  readonly #runner: WorkerRunner;
  readonly #events: SupervisorEvents;
  readonly #clock: Clock;
  readonly #heartbeats: Heartbeats;
  readonly #backoff: Backoff;
  #stopLooking: () => void = () => {};
  #phase: 'starting' | 'running' | 'draining' | 'over' = 'starting';
  #failStart: (error: Error) => void = () => {};
  /** Workers replaced so far. */
  restarts = 0;
  /** Workers terminated because they hung. */
  hangs = 0;

  constructor(
    workers: number,
    runner: WorkerRunner,
    events: SupervisorEvents,
    clock: Clock,
    heartbeats: Heartbeats,
  ) {
    this.#roster = new Roster(workers);
    this.#pulses = Array.from({ length: workers }, () => 'beating');
    this.#backoff = new Backoff(clock);
    this.#heartbeats = heartbeats;
    this.#runner = runner;
    this.#events = events;
    this.#clock = clock;
  }

  get accepting(): number {
    const accepts = (worker: number) =>
      this.#roster.is(worker, 'accepting') && this.#pulses[worker] === 'beating';
    return this.#roster.workers.filter(accepts).length;
  }

  /** Number of workers whose event loop turns, accepting or not. */
  get beating(): number {
    const beats = (worker: number) =>
      !this.#roster.is(worker, 'down', 'ended') && this.#pulses[worker] === 'beating';
    return this.#roster.workers.filter(beats).length;
  }

  /** Resolves when every worker accepts. Rejects when one dies before: a restart would fail again. */
  async start(): Promise<void> {
    if (this.#phase === 'over') throw toldToEnd();
    const failed = new Promise<never>((_, reject) => {
      this.#failStart = reject;
    });
    for (const worker of this.#roster.workers) void this.#run(worker);
    this.#lookLater();
    await Promise.race([this.#roster.untilAll('accepting'), failed]);
    this.#phase = 'running';
  }

  /** Drains all workers within `deadlineMs`. During the start it drains only those that accept already. */
  drain(deadlineMs: number): { acceptingStopped: Promise<void>; ended: Promise<void> } {
    if (this.#phase === 'starting') this.#callOffStart();
    this.#end({ type: 'drain', deadlineMs });
    return {
      acceptingStopped: this.#roster.untilAll('drained', 'ended', 'down'),
      ended: this.#roster.untilAll('ended', 'down'),
    };
  }

  /** Ends all sessions now; resolves when the workers have ended. */
  cut(): Promise<void> {
    this.#end({ type: 'cut' });
    return this.#roster.untilAll('ended', 'down');
  }

  /** Deaths of workers are expected from now on; a pending `start` rejects. */
  abandon(): void {
    this.#phase = 'over';
    this.#failStart(toldToEnd());
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
    if (this.#roster.is(worker, 'down', 'ended') || this.#pulses[worker] === 'hung') return;
    const pulse = this.#heartbeats.look(worker);
    this.#pulses[worker] = pulse;
    if (pulse !== 'hung') return;
    this.hangs += 1;
    this.#events.hung(worker);
    this.#runner.kill(worker);
  }

  async #run(worker: number): Promise<void> {
    this.#backoff.begin(worker);
    this.#pulses[worker] = 'beating';
    this.#heartbeats.begin(worker);
    this.#roster.enter(worker, 'starting');
    try {
      await this.#runner.run(worker, (message) => this.#heard(worker, message));
      if (this.#phase !== 'draining') throw new Error('it ended without being told to');
      this.#roster.enter(worker, 'ended');
    } catch (error) {
      this.#died(worker, causeOfDeath(this.#pulses[worker], error));
    }
  }

  #heard(worker: number, message: FromWorker): void {
    if (message.type === 'ready') this.#roster.enter(worker, 'accepting');
    else if (message.type === 'accepting_stopped') this.#roster.enter(worker, 'drained');
    this.#events.heard(worker, message);
  }

  #died(worker: number, error: Error): void {
    if (this.#phase === 'over') return;
    const isReplaced = this.#phase === 'running';
    const retryMs = isReplaced ? this.#backoff.schedule(worker, () => this.#replace(worker)) : null;
    this.#events.died(worker, error, retryMs);
    this.#roster.enter(worker, 'down');
    if (this.#phase === 'starting') this.#failStart(error);
  }

  #replace(worker: number): void {
    this.restarts += 1;
    void this.#run(worker);
  }

  /** Workers still loading have no sessions and are not waited for; one that accepts nevertheless is drained too. */
  #callOffStart(): void {
    this.#failStart(toldToEnd());
    for (const worker of this.#roster.workers)
      if (this.#roster.is(worker, 'starting')) this.#roster.enter(worker, 'down');
  }
}

function causeOfDeath(pulse: Pulse | undefined, error: unknown): Error {
  if (pulse === 'hung') return new Error('it hung: a handler or a validator blocked its thread');
  return error instanceof Error ? error : new Error(String(error));
}

const toldToEnd = () => new Error('it was told to end');
