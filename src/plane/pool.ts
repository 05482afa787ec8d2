/**
 * Worker threads: started, spoken to, ended. The only importer of piscina. When to start one again is the
 * supervisor's business.
 *
 * A worker is one long task on a piscina thread of its own, which ends with the task, however that ends: what the
 * worker had open is closed, and its counters stand still, when `run` is settled.
 */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { Piscina } from 'piscina';
import type { FromWorker, ToWorker, WorkerSetup } from '../model/message.js';
import type { WorkerRunner } from './supervisor.js';

/** How long a worker may take to load its modules before it is ended all the same. */
const LOADING_MS_MAX = 5000;

interface Life {
  readonly thread: Piscina;
  readonly port: MessagePort;
  /** Settles when the worker has spoken, or has ended without a word. */
  readonly loaded: Promise<unknown>;
}

export class WorkerPool implements WorkerRunner {
  readonly #filename: string;
  readonly #setup: (worker: number) => Omit<WorkerSetup, 'port'>;
  readonly #lives = new Map<number, Life>();

  /** `filename`: the module whose default export is the task. */
  constructor(filename: string, setup: (worker: number) => Omit<WorkerSetup, 'port'>) {
    this.#filename = filename;
    this.#setup = setup;
  }

  async run(worker: number, onMessage: (message: FromWorker) => void): Promise<void> {
    const { port1, port2 } = new MessageChannel();
    const thread = new Piscina({ minThreads: 0, maxThreads: 1, maxQueue: 1, atomics: 'disabled' });
    port1.on('message', onMessage);
    const task = this.#runTask(thread, { ...this.#setup(worker), port: port2 });
    const loaded = Promise.race([once(port1, 'message'), task]).catch(() => {});
    this.#lives.set(worker, { thread, port: port1, loaded });
    try {
      await task;
    } finally {
      // The task's end comes by another port, and may overtake the worker's last lines.
      for (let last = receiveMessageOnPort(port1); last; last = receiveMessageOnPort(port1)) {
        onMessage(last.message as FromWorker);
      }
      this.#lives.delete(worker);
      port1.close();
    }
  }

  post(worker: number, message: ToWorker): void {
    this.#lives.get(worker)?.port.postMessage(message);
  }

  /** Even one that is in an endless loop; not one that the kernel holds. */
  kill(worker: number): void {
    void this.#lives.get(worker)?.thread.destroy();
  }

  async terminate(): Promise<void> {
    const lives = [...this.#lives.values()];
    // Node aborts the whole process when a thread is ended in the middle of linking modules.
    const loaded = Promise.all(lives.map((life) => life.loaded));
    await Promise.race([loaded, sleep(LOADING_MS_MAX, undefined, { ref: false })]);
    await Promise.all(lives.map(({ thread }) => thread.destroy()));
  }

  /** Settles once the thread is gone: an error is heard while it still runs. */
  async #runTask(thread: Piscina, setup: WorkerSetup): Promise<void> {
    // A thread that fails before it takes the task rejects nothing: it is told here.
    const failed = new Promise<never>((_, reject) => thread.once('error', reject));
    const task = thread.run(setup, { filename: this.#filename, transferList: [setup.port] });
    const gone = thread.threads.map((life) => new Promise((resolve) => life.once('exit', resolve)));
    try {
      await Promise.race([task, failed]);
    } finally {
      // Errors of a thread that is being ended are no news.
      thread.on('error', () => {});
      await Promise.all([thread.destroy(), ...gone]);
    }
  }
}
