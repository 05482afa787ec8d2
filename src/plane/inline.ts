/**
 * `workers: 0`: the worker's task runs on the calling thread. The supervisor sees no difference; what a thread would be
 * told by its end, a signal says here.
 */
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { LocalCode } from '../base/user-module.js';
import type { FromWorker, ToWorker, WorkerSetup } from '../model/message.js';
import type { Plan } from '../model/plan.js';
import { send } from './delivery.js';
import { closeRead } from './last-messages.js';
import type { WorkerRunner } from './supervisor.js';

type Task = (setup: WorkerSetup) => Promise<void>;

interface Life {
  readonly port: MessagePort;
  readonly cancel: AbortController;
  ended: Promise<void>;
}

export class InlineRunner implements WorkerRunner {
  readonly #module: string;
  readonly #setup: (worker: number) => Omit<WorkerSetup, 'port' | 'inline'>;
  readonly #local: LocalCode;
  readonly #lives = new Map<number, Life>();

  /** `module`: file whose default export is the worker's task. */
  constructor(
    module: string,
    setup: (worker: number) => Omit<WorkerSetup, 'port' | 'inline'>,
    local: LocalCode,
  ) {
    this.#module = module;
    this.#setup = setup;
    this.#local = local;
  }

  async run(worker: number, onMessage: (message: FromWorker) => void): Promise<void> {
    const { port1, port2 } = new MessageChannel();
    port1.on('message', onMessage);
    const cancel = new AbortController();
    const inline = { local: this.#local, cancelled: cancel.signal };
    const task = this.#load().then((run) => run({ ...this.#setup(worker), port: port2, inline }));
    const ended = task.catch(() => {}); // reported by `run`
    this.#lives.set(worker, { port: port1, cancel, ended });
    try {
      await task;
    } finally {
      closeRead(port1, onMessage);
      this.#lives.delete(worker);
    }
  }

  get running(): number[] {
    return [...this.#lives.keys()];
  }

  post(worker: number, message: ToWorker, inForce?: Plan): void {
    const port = this.#lives.get(worker)?.port;
    if (port !== undefined) send(port, message, inForce);
  }

  /** The thread is the caller's own, and one that hangs makes no looks. */
  kill(): void {}

  /** Sessions that are left are reset. */
  async terminate(): Promise<void> {
    const lives = [...this.#lives.values()];
    for (const { cancel } of lives) cancel.abort();
    await Promise.all(lives.map(({ ended }) => ended));
  }

  async #load(): Promise<Task> {
    const { default: task } = (await import(this.#module)) as { default: Task };
    return task;
  }
}
