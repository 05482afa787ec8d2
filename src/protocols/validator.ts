/**
 * Validators: a user's own code that settles what a custom protocol's signature has matched. It is asked about the
 * bytes of strangers on the thread that serves everybody, so it gets a copy of few bytes and little time; whatever
 * goes wrong in it means "no".
 */
import { createContext, Script } from 'node:vm';
import type { Confirmation } from '../model/protocol.js';

export const limits = {
  /** A validator that wants to see more than this is not asked again. */
  bytesMax: 16_384,
  /** It is interrupted after so long. */
  timeMs: 20,
  /** One that was interrupted while the machine was busy elsewhere is asked again, so often in all. */
  asksMax: 5,
} as const;

type Validate = (bytes: Uint8Array) => unknown;

/** CPU time so far, of the thread that asks or of its process. */
export type CpuMs = () => number;

const processCpuMs: CpuMs = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

/** Only a script can be interrupted: it calls what is put into its context. */
const context: { call: () => unknown } = { call: () => undefined };
const script = new Script('call()');
createContext(context);

/** `url` is a module's file URL; `failed` is told of each exception, time-out and unknown answer. */
export async function loadValidator(
  url: string,
  failed: (error: unknown) => void,
  cpuMs: CpuMs = processCpuMs,
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
      return confirmationOf(ask(validate, bytes, cpuMs), bytes.length);
    } catch (error) {
      failed(error);
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

/** The clock of the interrupt does not know whether the thread ran: time that it did not get is not held against it. */
function ask(validate: Validate, bytes: Uint8Array, cpuMs: CpuMs): unknown {
  for (let asks = 1; ; asks++) {
    const startMs = cpuMs();
    try {
      return askOnce(validate, bytes);
    } catch (error) {
      const ran = cpuMs() - startMs >= limits.timeMs / 2;
      if (ran || !wasInterrupted(error) || asks === limits.asksMax) throw error;
    }
  }
}

const wasInterrupted = (error: unknown): boolean =>
  (error as NodeJS.ErrnoException | null)?.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT';

function askOnce(validate: Validate, bytes: Uint8Array): unknown {
  const copy = Uint8Array.from(bytes.subarray(0, limits.bytesMax));
  context.call = () => validate(copy);
  return script.runInContext(context, { timeout: limits.timeMs });
}

function confirmationOf(answer: unknown, length: number): Confirmation {
  if (answer === 'match' || answer === 'no') return { verdict: answer };
  if (answer !== 'more') throw new TypeError(`expected 'match', 'no' or 'more', got ${String(answer)}`);
  return length < limits.bytesMax ? { verdict: 'more', bytesNeeded: length + 1 } : { verdict: 'no' };
}
