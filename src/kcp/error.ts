/** Errors of links and their sockets, told apart by `code`. */

/**
 * Why a socket of reliable UDP is closed:
 *
 * - `done`: both ends have ended, and all bytes are acknowledged.
 * - `reset`: one end has closed before that; bytes may be lost.
 * - `dead`: nothing was heard of the other end for `deadAfter`.
 * - `lost`: the server does not know the connection any more, because it has started again.
 * - `shutdown`, `idle`, `limit`, `admin`: the other end's program, or its daemon, has ended the link.
 * - `protocol`: the other end broke the rules. `keys`: every packet number is used up. `replaced`: it began anew.
 */
export type KcpCloseReason =
  | 'done'
  | 'reset'
  | 'dead'
  | 'lost'
  | 'shutdown'
  | 'idle'
  | 'limit'
  | 'admin'
  | 'protocol'
  | 'keys'
  | 'replaced';

/**
 * Besides the reasons of a socket that is not `done`:
 *
 * - `connect_timeout`: no answer: nobody listens there, or the secret is another one, which nobody says.
 * - `connect_failed`: the address can not be had; `cause` has the system's error.
 * - `invalid_argument`: of `setWindow`, `setMtu`, `setInterval`.
 */
export type KcpErrorCode =
  | Exclude<KcpCloseReason, 'done'>
  | 'connect_timeout'
  | 'connect_failed'
  | 'invalid_argument';

export class KcpError extends Error {
  override readonly name = 'KcpError';
  readonly code: KcpErrorCode;

  constructor(code: KcpErrorCode, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.code = code;
  }
}

const words: Readonly<Record<Exclude<KcpCloseReason, 'done'>, string>> = {
  reset: 'the other end has closed the connection before all was said',
  dead: 'nothing was heard of the other end for too long',
  lost: 'the other end has started again and does not know the connection any more',
  shutdown: 'the other end shuts down',
  idle: 'the other end has closed a link without traffic',
  limit: 'the other end has no room for another link',
  admin: 'the link was ended by an operator',
  protocol: 'the other end broke the rules of the protocol',
  keys: 'every packet number of the link is used up: connect again',
  replaced: 'the other end began anew from the same address',
};

const reasons: ReadonlySet<string> = new Set(Object.keys(words));

/** Of an engine's reason for a link; what it calls `done` or `aborted` is a reset for a socket that was not finished. */
export function closeReason(reason: string, isFinished: boolean): KcpCloseReason {
  if (isFinished) return 'done';
  return reasons.has(reason) ? (reason as KcpCloseReason) : 'reset';
}

export function closeError(reason: Exclude<KcpCloseReason, 'done'>): KcpError {
  return new KcpError(reason, words[reason]);
}
