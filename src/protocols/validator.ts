/**
 * Validators: a user's own code that settles what a custom protocol's signature has matched. It is asked about the
 * bytes of strangers on the thread that serves everybody, so it gets a copy of few bytes and little time; whatever
 * goes wrong in it means "no".
 */
import { types } from 'node:util';
import { describeFailure, type FailureFields } from '../base/failure.js';
import { type CpuMs, callInterruptibly, processCpuMs } from '../base/interruptible.js';
import type { Confirmation } from '../model/protocol.js';

export const limits = {
  /** A validator that wants to see more than this is not asked again. */
  bytesMax: 16_384,
  /** It is interrupted after so long, with the promise jobs that it leaves. */
  timeMs: 20,
} as const;

type Validate = (bytes: Uint8Array) => unknown;

/** The thread that asks. */
export interface AskingThread {
  readonly cpuMs: CpuMs;
  /** Runs the promise jobs that wait, where that can be done. */
  runMicrotasks(): void;
}

const processThread: AskingThread = { cpuMs: processCpuMs, runMicrotasks() {} };

/** `url` is a module's file URL; `failed` is told of each exception, time-out and unknown answer. */
export async function loadValidator(
  url: string,
  failed: (failure: FailureFields) => void,
  thread: AskingThread = processThread,
): Promise<(bytes: Uint8Array) => Confirmation> {
  const module = await importModule(url);
  if (typeof module.default !== 'function') {
    throw new Error(
      `validator ${url}: its default export must be a function (bytes) => 'match' | 'no' | 'more'`,
    );
  }
  const validate = module.default as Validate;
  return (bytes) => {
    try {
      return confirmationOf(ask(validate, bytes, thread), bytes.length);
    } catch (error) {
      failed(describeFailure(error));
      return { verdict: 'no' };
    }
  };
}

/** What Node says of a mistake in a module does not always name the module. */
async function importModule(url: string): Promise<{ default?: unknown }> {
  try {
    return await import(url);
  } catch (error) {
    throw new Error(`validator ${url}: ${error instanceof Error ? error.message : error}`, { cause: error });
  }
}

/** Promise jobs run under the same limit: later nothing could interrupt them. */
function ask(validate: Validate, bytes: Uint8Array, thread: AskingThread): unknown {
  // An interrupt drops every job that waits: those of others must not be among them.
  thread.runMicrotasks();
  const askOnce = () => {
    const answer = validate(Uint8Array.from(bytes.subarray(0, limits.bytesMax)));
    if (types.isPromise(answer)) Promise.prototype.then.call(answer, ignore, ignore);
    thread.runMicrotasks();
    return answer;
  };
  return catchingEscapes(() => callInterruptibly(askOnce, limits.timeMs, thread.cpuMs));
}

function ignore(): void {}

/** What a promise job throws reaches no caller: Node takes it for uncaught, which would end the thread. */
function catchingEscapes<Result>(call: () => Result): Result {
  if (process.hasUncaughtExceptionCaptureCallback()) return call();
  const escaped: unknown[] = [];
  process.setUncaughtExceptionCaptureCallback((error) => escaped.push(error));
  try {
    const result = call();
    if (escaped.length > 0) throw escaped[0];
    return result;
  } finally {
    process.setUncaughtExceptionCaptureCallback(null);
  }
}

/** An answer may be an object whose every property is code: nothing but texts is looked at. */
function confirmationOf(answer: unknown, length: number): Confirmation {
  if (answer === 'match' || answer === 'no') return { verdict: answer };
  if (answer !== 'more') throw new TypeError(`expected 'match', 'no' or 'more', got ${nameOf(answer)}`);
  return length < limits.bytesMax ? { verdict: 'more', bytesNeeded: length + 1 } : { verdict: 'no' };
}

function nameOf(answer: unknown): string {
  if (types.isPromise(answer)) return 'a promise';
  if (typeof answer === 'object' && answer !== null) return 'an object';
  return typeof answer === 'function' ? 'a function' : String(answer);
}
