import type { Problem } from '../model/config.js';

/** An expected failure to start, as one line for the user; printed without a stack. */
export class StartError extends Error {
  constructor(
    message: string,
    /** Error code of the system call that failed, e.g. `EADDRINUSE`. */
    readonly code?: string,
    /** What is wrong with the configuration, each with its place; empty: the message says it. */
    readonly problems: readonly Problem[] = [],
    /** Name of the listener that could not be opened, if that was it. */
    readonly listener: string | null = null,
  ) {
    super(message);
  }
}
