/**
 * Calls user code under a time limit: the time-out of a vm script also interrupts the functions that the script
 * calls.
 */
import { types } from 'node:util';
import { createContext, Script } from 'node:vm';

type Outcome = { readonly returned: unknown } | { readonly thrown: unknown };

const context: { call: () => Outcome } = { call: idle };
const script = new Script('call()');
createContext(context);

function idle(): Outcome {
  return { returned: undefined };
}

/** CPU time used so far by the calling thread or its process, in milliseconds. */
export type CpuMs = () => number;

export const processCpuMs: CpuMs = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

/** Attempts per call: a call interrupted while its thread got no CPU is repeated. */
const CALLS_MAX = 5;

/**
 * Throws what `call` throws, or a time-out error after `timeMs`. The vm time-out counts wall-clock time: if the
 * thread got CPU for less than half of it (busy machine), the call is repeated.
 */
export function callInterruptibly<Result>(
  call: () => Result,
  timeMs: number,
  cpuMs: CpuMs = processCpuMs,
): Result {
  for (let calls = 1; ; calls++) {
    const startMs = cpuMs();
    try {
      return callOnce(call, timeMs);
    } catch (error) {
      const ran = cpuMs() - startMs >= timeMs / 2;
      if (ran || !wasInterrupted(error) || calls === CALLS_MAX) throw error;
    }
  }
}

function callOnce<Result>(call: () => Result, timeMs: number): Result {
  // Caught inside the script: Node inspects an error that leaves a script, and would run its getters without a time
  // limit.
  context.call = () => {
    try {
      return { returned: call() };
    } catch (thrown) {
      return { thrown };
    }
  };
  try {
    const outcome: Outcome = script.runInContext(context, { timeout: timeMs });
    if ('thrown' in outcome) throw outcome.thrown;
    return outcome.returned as Result;
  } finally {
    context.call = idle;
  }
}

/** Reads the property's descriptor, so that no getter or proxy trap of user code runs. */
const wasInterrupted = (thrown: unknown): boolean =>
  types.isNativeError(thrown) &&
  Object.getOwnPropertyDescriptor(thrown, 'code')?.value === 'ERR_SCRIPT_EXECUTION_TIMEOUT';
