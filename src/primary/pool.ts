/**
 * Worker threads: started, spoken to, ended. The only importer of piscina. When to start one again is the
 * supervisor's business.
 *
 * A worker is one long task on a piscina thread. Each has a pool of one: a pool whose replacement thread fails
 * to start (out of descriptors, say) never starts another, and is then thrown away without touching the others.
 */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { Piscina } from 'piscina';
import type { FromWorker, ToWorker, WorkerSetup } from '../model/message.js';
import type { WorkerRunner } from './supervisor.js';

/** How long a worker may take to load its modules before it is ended all the same. */
const LOADING_MS_MAX = 5000;

export class WorkerPool implements WorkerRunner {
  readonly #filename: string;
  readonly #setup: (worker: number) => Omit<WorkerSetup, 'port'>;
  readonly #threads: Piscina[];
  readonly #ports = new Map<number, MessagePort>();
  /** By worker: settles when it has spoken, or has ended without a word. */
  readonly #loaded = new Map<number, Promise<unknown>>();

  /** `filename`: the module whose default export is the task. */
  constructor(filename: string, workers: number, setup: (worker: number) => Omit<WorkerSetup, 'port'>) {
    this.#filename = filename;
    this.#setup = setup;
    this.#threads = Array.from({ length: workers }, createThread);
  }

  async run(worker: number, onMessage: (message: FromWorker) => void): Promise<void> {
    const { port1, port2 } = new MessageChannel();
    this.#ports.set(worker, port1);
    port1.on('message', onMessage);
    const task = this.#runTask(worker, { ...this.#setup(worker), port: port2 });
    this.#loaded.set(
      worker,
      Promise.race([once(port1, 'message'), task]).catch(() => {}),
    );
    try {
      await task;
    } finally {
      // The task's end comes by another port, and may overtake the worker's last lines.
      for (let last = receiveMessageOnPort(port1); last; last = receiveMessageOnPort(port1)) {
        onMessage(last.message as FromWorker);
      }
      this.#ports.delete(worker);
      port1.close();
    }
  }

  post(worker: number, message: ToWorker): void {
    this.#ports.get(worker)?.postMessage(message);
  }

  async terminate(): Promise<void> {
    // Node aborts the whole process when a thread is ended in the middle of linking modules.
    const loaded = Promise.all(this.#loaded.values());
    await Promise.race([loaded, sleep(LOADING_MS_MAX, undefined, { ref: false })]);
    await Promise.all(this.#threads.map((thread) => thread.destroy()));
  }

  #runTask(worker: number, setup: WorkerSetup): Promise<void> {
    const thread = this.#thread(worker);
    return new Promise((resolve, reject) => {
      // A thread that fails before it takes the task rejects nothing: it is told here.
      thread.once('error', reject);
      thread
        .run(setup, { filename: this.#filename, transferList: [setup.port] })
        .then(resolve, reject)
        .finally(() => thread.off('error', reject));
    });
  }

  #thread(worker: number): Piscina {
    const thread = this.#threads[worker] as Piscina;
    if (thread.threads.length > 0) return thread;
    void thread.destroy();
    const fresh = createThread();
    this.#threads[worker] = fresh;
    return fresh;
  }
}

function createThread(): Piscina {
  const thread = new Piscina({ minThreads: 1, maxThreads: 1, maxQueue: 1, atomics: 'disabled' });
  // An error while no task runs: the next run finds the pool without a thread.
  thread.on('error', () => {});
  return thread;
}
