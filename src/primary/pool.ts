/**
 * Worker threads: started, spoken to, ended. The only importer of piscina. When to start one again is the
 * supervisor's business.
 *
 * A worker is one long task on a piscina thread. Each has a pool of one: a pool whose replacement thread fails
 * to start (out of descriptors, say) never starts another, and is then thrown away without touching the others.
 */
import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { Piscina } from 'piscina';
import type { FromWorker, ToWorker, WorkerSetup } from '../model/message.js';
import type { WorkerRunner } from './supervisor.js';

export class WorkerPool implements WorkerRunner {
  readonly #filename: string;
  readonly #setup: (worker: number) => Omit<WorkerSetup, 'port'>;
  readonly #threads: Piscina[];
  readonly #ports = new Map<number, MessagePort>();

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
    try {
      await this.#runTask(worker, { ...this.#setup(worker), port: port2 });
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
