/** Why the daemon did not start, as one line for its user; expected, so it needs no stack. */
export class StartError extends Error {
  constructor(
    message: string,
    /** Of the system call that failed. */
    readonly code?: string,
  ) {
    super(message);
  }
}
