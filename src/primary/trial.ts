/**
 * Modules of the user that a change brings are imported on a thread of their own first. One that never ends, ends its
 * thread or takes too much memory would cost the workers' sessions; here it costs the change.
 */
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { noThread } from '../base/no-thread.js';
import { shownModule } from '../base/user-module.js';
import type { Config } from '../model/config.js';
import type { Part, Prepared } from './part.js';
import { StartError } from './start-error.js';

export const trialLimits = {
  /** Time to import one module. Less than the time after which a worker counts as hung. */
  importMs: 5000,
  heapMb: 512,
} as const;

/** A module to import: `what` it is, for messages. */
export interface Candidate {
  readonly what: 'handler' | 'validator';
  readonly url: string;
}

export interface TrialRequest {
  readonly candidates: readonly Candidate[];
  /** Texts of modules by URL. */
  readonly texts: Readonly<Record<string, string>>;
}

/** Index of the candidate whose import begins, then the outcome. */
export type TrialMessage = number | { readonly error: string | null };

const THREAD = fileURLToPath(new URL('./trial-thread.js', import.meta.url));

export class Trial implements Part {
  /** URLs of modules that the workers have. */
  #known: ReadonlySet<string>;

  /** `config`: what the workers start with, which they try themselves. */
  constructor(config: Config) {
    this.#known = new Set(candidatesOf(config).map(({ url }) => url));
  }

  async prepare(config: Config): Promise<Prepared> {
    const all = candidatesOf(config);
    const candidates = all.filter(({ url }) => !this.#known.has(url));
    if (candidates.length > 0) {
      const error = await tryAll({ candidates, texts: config.modules ?? {} });
      if (error !== null) throw new StartError(error);
    }
    const commit = () => {
      this.#known = new Set(all.map(({ url }) => url));
    };
    return { commit, discard() {} };
  }

  close(): void {}
}

function candidatesOf({ upstreams, protocols }: Config): Candidate[] {
  const handlers = upstreams.map(({ handler: url }) => ({ what: 'handler', url }) as const);
  const validators = protocols.map(({ validator: url }) => ({ what: 'validator', url }) as const);
  return [...handlers, ...validators].filter(
    (each): each is Candidate => each.url?.startsWith('file:') ?? false,
  );
}

/** Null if all can be imported; else why not. */
function tryAll(request: TrialRequest): Promise<string | null> {
  const { candidates } = request;
  let thread: Worker;
  try {
    thread = new Worker(THREAD, {
      workerData: request,
      resourceLimits: { maxOldGenerationSizeMb: trialLimits.heapMb },
      execArgv: [],
    });
  } catch (error) {
    return Promise.resolve(noThread(error));
  }
  let current: Candidate | undefined = candidates[0];
  return new Promise<string | null>((done) => {
    const fail = (why: string) => done(`${current?.what} ${shownModule(current?.url ?? '')}: ${why}`);
    const timer = setTimeout(
      fail,
      trialLimits.importMs,
      `importing it takes longer than ${trialLimits.importMs} ms`,
    );
    thread.on('message', (message: TrialMessage) => {
      if (typeof message === 'object') return done(message.error);
      current = candidates[message];
      timer.refresh();
    });
    thread.on('error', ({ message }) => fail(message));
    thread.on('exit', (status) => {
      clearTimeout(timer);
      fail(`importing it ends its thread (exit status ${status})`);
    });
  }).finally(() => void thread.terminate());
}
