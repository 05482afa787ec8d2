/** The failure of a command, as one line for the user. */

/** Exit statuses; 0 is success. */
export const FAILED = 1;
export const BAD_USAGE = 2;

export class Failure extends Error {
  constructor(
    message: string,
    readonly status: typeof FAILED | typeof BAD_USAGE,
  ) {
    super(message);
  }
}
