/**
 * Reads configurations on a thread of its own: parser, schema and their memory (6 MiB of an idle daemon) are not the
 * daemon's, and neither a long file nor a bad one stops it. The thread stays for a while after use, so that a second
 * change need not load modules. Its death or silence is a refusal.
 */
import { resolve } from 'node:path';
import { Worker } from 'node:worker_threads';
import { noThread } from '../base/no-thread.js';
import type { Problem } from '../model/config.js';
import type { Loaded, LoadRequest } from './load.js';
import type { ReaderSetup } from './reader.js';

export interface ReaderLimits {
  /** How long the thread stays after its last answer. */
  readonly idleMs: number;
  /** Time for one answer; a thread that takes longer is ended. What a suspended process sleeps does not count. */
  readonly answerMs: number;
  /** Of the thread, in steps of nice(2): where cores are short, sessions come first. */
  readonly niceness: number;
  /** Heap of the thread. The largest files that are read need a third of it. */
  readonly heapMb: number;
  /** Of its young objects: 1 MiB per semi-space. V8's 48 fill up, and never shrink. */
  readonly youngMb: number;
  /**
   * Answers of one thread, whose heap does not shrink: after 200 it was 6 MiB larger. At the soft limit another takes its
   * place in the next pause of `pauseMs`: where requests follow each other they lead to changes, which its end and the start
   * of another would hold up. At the hard one it does so at once.
   */
  readonly answersSoftMax: number;
  readonly answersHardMax: number;
  readonly pauseMs: number;
  /** Requests that wait; further ones are refused. */
  readonly waitingMax: number;
}

export const readerLimits: ReaderLimits = {
  idleMs: 30_000,
  answerMs: 30_000,
  niceness: 10,
  heapMb: 1024,
  youngMb: 3,
  answersSoftMax: 32,
  answersHardMax: 512,
  pauseMs: 2_000,
  waitingMax: 64,
};

/** Looks at a thread that has not answered. Counted instead of the time, of which a suspended process has none. */
const LOOKS = 30;

/** Reads one, then ends its thread: for a start, before there are sessions, and after which a change may not come for months. */
export async function loadAside(request: LoadRequest): Promise<Loaded> {
  const reader = new Reader({ idleMs: 0, niceness: 0 });
  const loaded = await reader.load(request);
  reader.close();
  return loaded;
}

export class Reader {
  readonly #limits: ReaderLimits;
  #thread: Worker | null = null;
  #idle: NodeJS.Timeout | null = null;
  /** The last request in the queue; each waits for the one before. */
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  /** Of the thread. */
  #answers = 0;
  #isClosed = false as boolean;
  readonly #ended: () => void;

  /** `ended` is called when a thread has ended: its memory can be given back. */
  constructor(limits: Partial<ReaderLimits> = {}, ended = () => {}) {
    this.#limits = { ...readerLimits, ...limits };
    this.#ended = ended;
  }

  /** A request is likely to come soon: the thread loads its modules meanwhile. */
  warm(): void {
    if (this.#thread !== null || this.#isClosed) return;
    try {
      this.#thread = this.#start();
      this.#leaveLater();
    } catch {
      // The request is told so, if it still holds then.
    }
  }

  /** Never rejects. Requests are answered in their order. */
  load(request: LoadRequest): Promise<Loaded> {
    if (this.#waiting >= this.#limits.waitingMax) {
      return Promise.resolve(refusal(request, `${this.#waiting} readings of it are waiting already`));
    }
    this.#waiting += 1;
    const answer = this.#last.then(() => this.#ask(request));
    this.#last = answer.finally(() => {
      this.#waiting -= 1;
    });
    return answer;
  }

  /** What waits is refused. */
  close(): void {
    this.#isClosed = true;
    this.#end();
  }

  async #ask(request: LoadRequest): Promise<Loaded> {
    if (this.#isClosed) return refusal(request, 'anyport is being closed');
    this.#stay();
    try {
      this.#thread ??= this.#start();
    } catch (error) {
      return refusal(request, noThread(error));
    }
    const loaded = await answerOf(this.#thread, request, this.#limits.answerMs);
    if (typeof loaded === 'string') {
      this.#end();
      return refusal(request, loaded);
    }
    this.#answers += 1;
    this.#leaveLater();
    if (this.#answers >= this.#limits.answersHardMax) this.#renew();
    return loaded;
  }

  /** The next request finds modules that are loaded. */
  #renew(): void {
    this.#end();
    this.warm();
  }

  /** Throws where no thread is allowed. */
  #start(): Worker {
    this.#answers = 0;
    const { heapMb, youngMb, niceness } = this.#limits;
    const thread = new Worker(new URL('./reader.js', import.meta.url), {
      resourceLimits: { maxOldGenerationSizeMb: heapMb, maxYoungGenerationSizeMb: youngMb },
      workerData: { niceness } satisfies ReaderSetup,
      // Node's options of the program (a loader, `--input-type`) are not for this thread.
      execArgv: [],
    });
    // A death between two requests is no error: the next one starts another thread.
    thread.on('error', () => this.#forget(thread));
    thread.on('exit', () => {
      this.#forget(thread);
      this.#ended();
    });
    return thread;
  }

  #forget(thread: Worker): void {
    if (this.#thread === thread) this.#thread = null;
  }

  #stay(): void {
    if (this.#idle !== null) clearTimeout(this.#idle);
    this.#idle = null;
  }

  /** An idle thread keeps no process alive. */
  #leaveLater(): void {
    this.#thread?.unref();
    if (this.#waiting > 1 || this.#isClosed) return;
    const { answersSoftMax, pauseMs, idleMs } = this.#limits;
    const isOld = this.#answers >= answersSoftMax;
    this.#idle = setTimeout(() => (isOld ? this.#renew() : this.#end()), isOld ? pauseMs : idleMs).unref();
  }

  /** Not awaited: a thread that hangs in a system call ends with the process. */
  #end(): void {
    this.#stay();
    const thread = this.#thread;
    this.#thread = null;
    thread?.unref();
    void thread?.terminate();
  }
}

/** The answer, or why there is none. */
function answerOf(thread: Worker, request: LoadRequest, answerMs: number): Promise<Loaded | string> {
  return new Promise((done) => {
    const settle = (answer: Loaded | string) => {
      clearInterval(looking);
      thread.off('message', settle).off('error', onError).off('exit', onExit);
      done(answer);
    };
    const onError = (error: NodeJS.ErrnoException) =>
      settle(
        error.code === 'ERR_WORKER_OUT_OF_MEMORY'
          ? 'it takes more memory than is allowed for a configuration'
          : `reading it failed: ${error.message}`,
      );
    const onExit = () => settle('reading it ended without an answer');
    let looks = 0;
    const looking = setInterval(() => {
      looks += 1;
      if (looks === LOOKS) settle(`reading it takes longer than ${answerMs} ms`);
    }, answerMs / LOOKS);
    thread.on('message', settle).on('error', onError).on('exit', onExit);
    thread.ref();
    try {
      thread.postMessage(request);
    } catch (error) {
      settle(`it can not be handed over: ${(error as Error).message}`);
    }
  });
}

function refusal(request: LoadRequest, why: string): Loaded {
  const file = 'file' in request ? request.file : null;
  const problem: Problem = { file, line: null, column: null, path: '', message: `not read: ${why}` };
  return { ok: false, problems: [problem], files: file === null ? [] : [resolve(file)] };
}
