/** Why the daemon did not start, as one line for its user; expected, so it needs no stack. */
export class StartError extends Error {}
