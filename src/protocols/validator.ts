/**
 * Validators: user code that confirms or refuses a match of a custom protocol's signature. It runs on untrusted
 * bytes, on a worker's event loop thread: it gets a bounded copy and a time limit, and any failure means `no`.
 */
import { types } from 'node:util';
import { describeFailure, type FailureFields } from '../base/failure.js';
import { type CpuMs, callInterruptibly, processCpuMs } from '../base/interruptible.js';
import { type LocalCode, loadUserCode, shownModule } from '../base/user-module.js';
import type { Confirmation } from '../model/protocol.js';

export const limits = {
  /** Upper bound on the bytes shown; a validator that wants more is not called again, and the answer is `no`. */
  bytesMax: 16_384,
  /** Time limit per call, including the promise jobs it queues. */
  timeMs: 20,
} as const;

type Validate = (bytes: Uint8Array) => unknown;

/** The calling thread. */
export interface AskingThread {
  readonly cpuMs: CpuMs;
  /** Drains the promise job queue, where the thread can. */
  runMicrotasks(): void;
}

/** Where validators run. */
export interface Asking {
  /** Absent: the embedding program's own thread, on which its code runs without a time limit and hooks. */
  readonly thread?: AskingThread;
  readonly local?: LocalCode;
}

const elsewhere: Asking = { thread: { cpuMs: processCpuMs, runMicrotasks() {} } };

/** `spec`: as for loadUserCode; `failed` reports each exception, time-out and unknown answer. */
export async function loadValidator(
  spec: string,
  failed: (failure: FailureFields) => void,
  { thread, local }: Asking = elsewhere,
): Promise<(bytes: Uint8Array) => Confirmation> {
  const validate = await loadUserCode('validator', spec, local);
  if (typeof validate !== 'function') {
    throw new Error(
      `validator ${shownModule(spec)}: its default export must be a function (bytes) => 'match' | 'no' | 'more'`,
    );
  }
  const asked =
    thread === undefined ? askOwn : (asks: Validate, bytes: Uint8Array) => ask(asks, bytes, thread);
  return (bytes) => {
    try {
      return confirmationOf(asked(validate as Validate, bytes), bytes.length);
    } catch (error) {
      failed(describeFailure(error));
      return { verdict: 'no' };
    }
  };
}

function askOwn(validate: Validate, bytes: Uint8Array): unknown {
  const answer = validate(Uint8Array.from(bytes.subarray(0, limits.bytesMax)));
  if (types.isPromise(answer)) Promise.prototype.then.call(answer, ignore, ignore);
  return answer;
}

/** Promise jobs run here, under the same time limit: later they could not be interrupted. */
function ask(validate: Validate, bytes: Uint8Array, thread: AskingThread): unknown {
  // An interrupt drops all queued promise jobs, so those of others run first.
  thread.runMicrotasks();
  const askOnce = () => {
    const answer = askOwn(validate, bytes);
    thread.runMicrotasks();
    return answer;
  };
  return catchingEscapes(() => callInterruptibly(askOnce, limits.timeMs, thread.cpuMs));
}

function ignore(): void {}

/** An exception in a promise job has no caller: Node treats it as uncaught, which would end the thread. */
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

/** Only strings are compared: properties of an object could be getters, that is more user code. */
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
