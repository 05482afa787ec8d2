/** Calls into user code that may not return: a script can be interrupted, and what it calls with it. */
import { types } from 'node:util';
import { createContext, Script } from 'node:vm';

type Outcome = { readonly returned: unknown } | { readonly thrown: unknown };

const context: { call: () => Outcome } = { call: idle };
const script = new Script('call()');
createContext(context);

function idle(): Outcome {
  return { returned: undefined };
}

/** CPU time so far, of the thread that calls or of its process. */
export type CpuMs = () => number;

export const processCpuMs: CpuMs = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

/** One that was interrupted while the machine was busy elsewhere is called again, so often in all. */
const CALLS_MAX = 5;

/**
 * Throws what `call` throws, or an error of its own after `timeMs`. The clock of the interrupt does not know whether
 * the thread ran: time that it did not get is not held against the call.
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
  // Node reads an error that leaves a script, and nothing would interrupt its getters then.
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

/** Reads nothing that user code could have made a getter or a trap. */
const wasInterrupted = (thrown: unknown): boolean =>
  types.isNativeError(thrown) &&
  Object.getOwnPropertyDescriptor(thrown, 'code')?.value === 'ERR_SCRIPT_EXECUTION_TIMEOUT';
