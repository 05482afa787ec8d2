/** An expected failure to start, as one line for the user; printed without a stack. */
export class StartError extends Error {
  constructor(
    message: string,
    /** Error code of the system call that failed, e.g. `EADDRINUSE`. */
    readonly code?: string,
  ) {
    super(message);
  }
}
