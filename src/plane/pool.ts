/**
 * Worker threads: start, message, terminate. The only importer of piscina. The supervisor decides on restarts.
 *
 * A worker is one long task on its own piscina thread, and the thread ends with the task, whatever the outcome: when
 * `run` settles, the worker's descriptors are closed and its counters no longer change.
 */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { Piscina } from 'piscina';
import { threadArguments } from '../base/threads.js';
import type { FromWorker, ToWorker, WorkerSetup } from '../model/message.js';
import type { Plan } from '../model/plan.js';
import { send } from './delivery.js';
import { closeRead } from './last-messages.js';
import type { WorkerRunner } from './supervisor.js';

/** Termination waits at most this long for a worker to load its modules. */
const LOADING_MS_MAX = 5000;

interface Life {
  readonly thread: Piscina;
  readonly port: MessagePort;
  /** Settles on the worker's first message, or on its end. */
  readonly loaded: Promise<unknown>;
}

export class WorkerPool implements WorkerRunner {
  readonly #filename: string;
  readonly #setup: (worker: number) => Omit<WorkerSetup, 'port'>;
  readonly #lives = new Map<number, Life>();

  /** `filename`: module whose default export is the worker's task. */
  constructor(filename: string, setup: (worker: number) => Omit<WorkerSetup, 'port'>) {
    this.#filename = filename;
    this.#setup = setup;
  }

  async run(worker: number, onMessage: (message: FromWorker) => void): Promise<void> {
    const { port1, port2 } = new MessageChannel();
    const thread = new Piscina({
      minThreads: 0,
      maxThreads: 1,
      maxQueue: 1,
      atomics: 'disabled',
      ...threadArguments(),
    });
    port1.on('message', onMessage);
    const task = this.#runTask(thread, { ...this.#setup(worker), port: port2 });
    const loaded = Promise.race([once(port1, 'message'), task]).catch(() => {});
    this.#lives.set(worker, { thread, port: port1, loaded });
    try {
      await task;
    } finally {
      closeRead(port1, onMessage);
      this.#lives.delete(worker);
    }
  }

  /** Workers whose threads run. */
  get running(): number[] {
    return [...this.#lives.keys()];
  }

  post(worker: number, message: ToWorker, inForce?: Plan): void {
    const port = this.#lives.get(worker)?.port;
    if (port !== undefined) send(port, message, inForce);
  }

  /** Terminates the thread, even in an endless loop; not while it is blocked in the kernel. */
  kill(worker: number): void {
    void this.#lives.get(worker)?.thread.destroy();
  }

  async terminate(): Promise<void> {
    const lives = [...this.#lives.values()];
    // Node aborts the process when a thread is terminated while it links modules.
    const loaded = Promise.all(lives.map((life) => life.loaded));
    await Promise.race([loaded, sleep(LOADING_MS_MAX, undefined, { ref: false })]);
    await Promise.all(lives.map(({ thread }) => thread.destroy()));
  }

  /** Settles when the thread is gone; an error event comes while it still runs. */
  async #runTask(thread: Piscina, setup: WorkerSetup): Promise<void> {
    // A thread that fails before it takes the task leaves the task's promise pending.
    const failed = new Promise<never>((_, reject) => thread.once('error', reject));
    const task = thread.run(setup, { filename: this.#filename, transferList: [setup.port] });
    const gone = thread.threads.map((life) => new Promise((resolve) => life.once('exit', resolve)));
    try {
      await Promise.race([task, failed]);
    } finally {
      // Errors of a thread that is being terminated are ignored.
      thread.on('error', () => {});
      await Promise.all([thread.destroy(), ...gone]);
    }
  }
}
