/** What threads inherit of the command line. */

/**
 * Node refuses `--input-type` in a thread that runs a file, so a program given with `--eval` could have no threads: they
 * inherit nothing then.
 */
export function threadArguments(given: readonly string[] = process.execArgv): { execArgv?: string[] } {
  return given.some((argument) => argument.startsWith('--input-type')) ? { execArgv: [] } : {};
}
