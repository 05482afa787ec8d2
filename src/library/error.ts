/** The library's errors: one class, told apart by `code`. */

/**
 * - `invalid_config`: options, a protocol or a whole configuration are wrong; `problems` lists everything that is.
 * - `listen_failed`: the first `listen` can not have an address; `cause` has the system's error code where there is one.
 *   Once it listens, an address that can not be had is a change that is `refused`.
 * - `start_failed`: the data plane did not start, for instance because a handler's module can not be loaded.
 * - `refused`: a change could not be put into force; what ran before runs on.
 * - `not_listening`: this needs a `listen` before.
 * - `closed`: the instance is closed or being closed.
 * - `unsupported`: this machine is not Linux on x64 or arm64, or the addon was not built.
 * - `listener_failed`: a listener of an event threw; `cause` is what it threw.
 */
export type AnyportErrorCode =
  | 'invalid_config'
  | 'listen_failed'
  | 'start_failed'
  | 'refused'
  | 'not_listening'
  | 'closed'
  | 'unsupported'
  | 'listener_failed';

/** What is wrong, and where. */
export interface ConfigProblem {
  /** Key path in the caller's spelling: `protocols[0].startBytes`, `identifyTimeout`; empty: the whole. */
  readonly path: string;
  readonly message: string;
}

export class AnyportError extends Error {
  override readonly name = 'AnyportError';
  readonly code: AnyportErrorCode;
  /** Empty unless the configuration is at fault. */
  readonly problems: readonly ConfigProblem[];

  constructor(
    code: AnyportErrorCode,
    message: string,
    options: { readonly problems?: readonly ConfigProblem[]; readonly cause?: unknown } = {},
  ) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.problems = options.problems ?? [];
  }
}

/** Problems quoted in a message; `problems` has all of them. */
const QUOTED_MAX = 3;

export function invalidConfig(problems: readonly ConfigProblem[]): AnyportError {
  const quoted = problems.slice(0, QUOTED_MAX).map(problemText);
  const rest = problems.length - quoted.length;
  const text = [...quoted, ...(rest > 0 ? [`and ${rest} more`] : [])].join('; ');
  return new AnyportError('invalid_config', `the configuration is not valid: ${text}`, { problems });
}

const problemText = ({ path, message }: ConfigProblem): string =>
  path === '' ? message : `${path}: ${message}`;
