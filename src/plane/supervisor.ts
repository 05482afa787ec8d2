/**
 * Keeps the workers running: waits for all to accept, replaces those that die or hang, drains and ends them. What a
 * worker is and how it is reached is the runner's business.
 */
import type { Clock } from '../base/clock.js';
import type { FromWorker, ToWorker } from '../model/message.js';
import { Backoff } from './backoff.js';
import { type Heartbeats, heartbeatLimits, type Pulse } from './heartbeats.js';
import { Roster } from './roster.js';

export interface WorkerRunner {
  /** Resolves when the worker has ended as told, rejects when it has died. */
  run(worker: number, onMessage: (message: FromWorker) => void): Promise<void>;
  post(worker: number, message: ToWorker): void;
  /** Ends a worker that does not listen; it dies of that. */
  kill(worker: number): void;
}

export interface SupervisorEvents {
  /** Called with all that a worker says. */
  heard(worker: number, message: FromWorker): void;
  /** It stands still, and is ended. */
  hung(worker: number): void;
  /** Called before the worker is replaced, which is `retryMs` from now; null: it will not be. */
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
  /** Workers ended because they stood still. */
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

  /** Resolves when every worker accepts. Rejects when one dies before that: it would die again. */
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

  /** Workers end their sessions, at the latest after `deadlineMs`. During the start only those that accept do. */
  drain(deadlineMs: number): { acceptingStopped: Promise<void>; ended: Promise<void> } {
    if (this.#phase === 'starting') this.#callOffStart();
    this.#end({ type: 'drain', deadlineMs });
    return {
      acceptingStopped: this.#roster.untilAll('drained', 'ended', 'down'),
      ended: this.#roster.untilAll('ended', 'down'),
    };
  }

  /** Workers end their sessions now. Resolves when they have. */
  cut(): Promise<void> {
    this.#end({ type: 'cut' });
    return this.#roster.untilAll('ended', 'down');
  }

  /** From now on workers die because they are meant to; a start that is under way fails. */
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

  /** Nobody waits for workers that have no sessions yet; one that accepts after all drains like the others. */
  #callOffStart(): void {
    this.#failStart(toldToEnd());
    for (const worker of this.#roster.workers)
      if (this.#roster.is(worker, 'starting')) this.#roster.enter(worker, 'down');
  }
}

function causeOfDeath(pulse: Pulse | undefined, error: unknown): Error {
  if (pulse === 'hung')
    return new Error('it stood still: a handler or a validator did not give its thread back');
  return error instanceof Error ? error : new Error(String(error));
}

const toldToEnd = () => new Error('it was told to end');
