/**
 * Keeps the workers running: waits for all to accept, replaces those that die or hang, drains and ends them. What a
 * worker is and how it is reached is the runner's business.
 */
import type { Clock } from '../base/clock.js';
import type { FromWorker, ToWorker } from '../model/message.js';
import { type Heartbeats, heartbeatLimits, type Pulse } from './heartbeats.js';

export const supervisorLimits = {
  /** Pause before a worker that died is replaced, doubled for each death in a row. */
  backoffMsMin: 50,
  backoffMsMax: 5000,
  /** A worker that lived so long has not died in a row. */
  livedMs: 10_000,
} as const;

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

/** `drained`: accepts no more, sessions may be left. `down`: crashed; awaiting restart, or never restarted. */
type WorkerState = 'starting' | 'accepting' | 'drained' | 'ended' | 'down';

interface Worker {
  state: WorkerState;
  pulse: Pulse;
  startedMs: number;
  backoffMs: number;
}

export class Supervisor {
  readonly #workers: readonly Worker[];
  readonly #runner: WorkerRunner;
  readonly #events: SupervisorEvents;
  readonly #clock: Clock;
  readonly #heartbeats: Heartbeats;
  #stopLooking: () => void = () => {};
  readonly #restarts = new Map<number, () => void>();
  #phase: 'starting' | 'running' | 'draining' | 'over' = 'starting';
  #waiting: { readonly states: readonly WorkerState[]; readonly resolve: () => void }[] = [];
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
    this.#workers = Array.from({ length: workers }, () => ({
      state: 'down',
      pulse: 'beating',
      startedMs: 0,
      backoffMs: 0,
    }));
    this.#heartbeats = heartbeats;
    this.#runner = runner;
    this.#events = events;
    this.#clock = clock;
  }

  get accepting(): number {
    return this.#workers.filter(({ state, pulse }) => state === 'accepting' && pulse === 'beating').length;
  }

  /** Resolves when every worker accepts. Rejects when one dies before that: it would die again. */
  async start(): Promise<void> {
    if (this.#phase === 'over') throw toldToEnd();
    const failed = new Promise<never>((_, reject) => {
      this.#failStart = reject;
    });
    for (const worker of this.#workers.keys()) void this.#run(worker);
    this.#lookLater();
    await Promise.race([this.#untilAll('accepting'), failed]);
    this.#phase = 'running';
  }

  /** Workers end their sessions, at the latest after `deadlineMs`. During the start only those that accept do. */
  drain(deadlineMs: number): { acceptingStopped: Promise<void>; ended: Promise<void> } {
    if (this.#phase === 'starting') this.#callOffStart();
    this.#phase = 'draining';
    this.#callOffRestarts();
    this.#post({ type: 'drain', deadlineMs });
    return {
      acceptingStopped: this.#untilAll('drained', 'ended', 'down'),
      ended: this.#untilAll('ended', 'down'),
    };
  }

  /** Workers end their sessions now. Resolves when they have. */
  cut(): Promise<void> {
    this.#phase = 'draining';
    this.#callOffRestarts();
    this.#post({ type: 'cut' });
    return this.#untilAll('ended', 'down');
  }

  /** From now on workers die because they are meant to; a start that is under way fails. */
  abandon(): void {
    this.#phase = 'over';
    this.#failStart(toldToEnd());
    this.#stopLooking();
    this.#callOffRestarts();
  }

  #lookLater(): void {
    this.#stopLooking = this.#clock.after(heartbeatLimits.lookMs, () => {
      for (const [index, worker] of this.#workers.entries()) this.#look(index, worker);
      this.#lookLater();
    });
  }

  #look(index: number, worker: Worker): void {
    if (worker.state === 'down' || worker.state === 'ended' || worker.pulse === 'hung') return;
    worker.pulse = this.#heartbeats.look(index);
    if (worker.pulse !== 'hung') return;
    this.hangs += 1;
    this.#events.hung(index);
    this.#runner.kill(index);
  }

  async #run(index: number): Promise<void> {
    const worker = this.#workers[index] as Worker;
    worker.startedMs = this.#clock.nowMs();
    worker.pulse = 'beating';
    this.#heartbeats.begin(index);
    this.#enter(worker, 'starting');
    try {
      await this.#runner.run(index, (message) => this.#heard(index, worker, message));
      if (this.#phase !== 'draining') throw new Error('it ended without being told to');
      this.#enter(worker, 'ended');
    } catch (error) {
      this.#died(index, worker, causeOfDeath(worker, error));
    }
  }

  #heard(index: number, worker: Worker, message: FromWorker): void {
    if (message.type === 'ready') this.#enter(worker, 'accepting');
    else if (message.type === 'accepting_stopped') this.#enter(worker, 'drained');
    this.#events.heard(index, message);
  }

  #died(index: number, worker: Worker, error: Error): void {
    if (this.#phase === 'over') return;
    const replace = this.#phase === 'running';
    if (replace) worker.backoffMs = nextBackoffMs(worker.backoffMs, this.#clock.nowMs() - worker.startedMs);
    this.#events.died(index, error, replace ? worker.backoffMs : null);
    this.#enter(worker, 'down');
    if (this.#phase === 'starting') this.#failStart(error);
    if (replace)
      this.#restarts.set(
        index,
        this.#clock.after(worker.backoffMs, () => this.#replace(index)),
      );
  }

  #replace(index: number): void {
    this.#restarts.delete(index);
    this.restarts += 1;
    void this.#run(index);
  }

  /** Nobody waits for workers that have no sessions yet; one that accepts after all drains like the others. */
  #callOffStart(): void {
    this.#failStart(toldToEnd());
    for (const worker of this.#workers) if (worker.state === 'starting') worker.state = 'down';
  }

  #callOffRestarts(): void {
    for (const cancel of this.#restarts.values()) cancel();
    this.#restarts.clear();
  }

  #post(message: ToWorker): void {
    for (const worker of this.#workers.keys()) this.#runner.post(worker, message);
  }

  #enter(worker: Worker, state: WorkerState): void {
    worker.state = state;
    this.#waiting = this.#waiting.filter(({ states, resolve }) => {
      if (!this.#all(states)) return true;
      resolve();
      return false;
    });
  }

  #all(states: readonly WorkerState[]): boolean {
    return this.#workers.every(({ state }) => states.includes(state));
  }

  #untilAll(...states: readonly WorkerState[]): Promise<void> {
    if (this.#all(states)) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting.push({ states, resolve });
    });
  }
}

function causeOfDeath({ pulse }: Worker, error: unknown): Error {
  if (pulse === 'hung')
    return new Error('it stood still: a handler or a validator did not give its thread back');
  return error instanceof Error ? error : new Error(String(error));
}

const toldToEnd = () => new Error('it was told to end');

function nextBackoffMs(backoffMs: number, livedMs: number): number {
  if (livedMs >= supervisorLimits.livedMs) return supervisorLimits.backoffMsMin;
  return Math.min(Math.max(2 * backoffMs, supervisorLimits.backoffMsMin), supervisorLimits.backoffMsMax);
}
