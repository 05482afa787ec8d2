/** Why a call to etcd has failed, in words and as a kind that callers act on. */
import { visible } from '../../base/text.js';

export type EtcdFailureKind =
  /** No endpoint could be asked: refused, unreachable, or its answer is not etcd's. */
  | 'unreachable'
  /** Nor by TLS: one side does not believe the other's certificate, or only one side speaks it. */
  | 'untrusted'
  /** Asked, and no answer within the deadline, or no leader: it may have been done. */
  | 'late'
  /** etcd does not know who asks: no user, a wrong password, or a token that has ended. */
  | 'login'
  /** The user may not do this. */
  | 'denied'
  /** The revision that was asked for is gone: list again. */
  | 'compacted'
  /** The lease or the key that was named is gone. */
  | 'missing'
  /** An answer or a request over a limit. */
  | 'too_large'
  /** etcd says no for another reason. */
  | 'refused'
  /** The client has been closed. */
  | 'closed';

export class EtcdFailure extends Error {
  constructor(
    readonly kind: EtcdFailureKind,
    message: string,
    /** The request has not reached etcd: it may be sent again whatever it is. */
    readonly unsent = false,
  ) {
    super(message);
    this.name = 'EtcdFailure';
  }
}

/** Status codes of gRPC, as the gateway's errors have them (google/rpc/code.proto). */
export const grpcCodes = {
  deadlineExceeded: 4,
  notFound: 5,
  permissionDenied: 7,
  outOfRange: 11,
  unavailable: 14,
  unauthenticated: 16,
} as const;

const kinds: ReadonlyMap<number, EtcdFailureKind> = new Map([
  [grpcCodes.deadlineExceeded, 'late'],
  [grpcCodes.notFound, 'missing'],
  [grpcCodes.permissionDenied, 'denied'],
  [grpcCodes.outOfRange, 'compacted'],
  // No leader, request timed out, too many requests.
  [grpcCodes.unavailable, 'late'],
  [grpcCodes.unauthenticated, 'login'],
]);

/** By etcd's words (rpctypes): what is to be done. */
const cures: readonly (readonly [words: RegExp, cure: string])[] = [
  [/authentication failed/, 'mend `distributed.username` or `distributed.password`'],
  [/user name is empty/, 'it has users: name one in `distributed.username`, with its `password`'],
  [/authentication is not enabled/, 'it has no users: leave `distributed.username` and `password` away'],
];

/** Of a log-in, or of a token: a new log-in may help. */
export const isOfLogin = (words: string): boolean =>
  /authentication failed|user name is empty|auth revision in header is old|invalid auth token/.test(words);

/** Characters of etcd's words that are kept. */
const WORDS_MAX = 300;

/** `code`: gRPC's. etcd has one code (InvalidArgument) for a wrong password and for a malformed request. */
export function failureOf(code: number, words: string, place: string): EtcdFailure {
  const kind = isOfLogin(words) ? 'login' : (kinds.get(code) ?? 'refused');
  const said = visible(words.replace(/^etcdserver: /, '').slice(0, WORDS_MAX));
  const cure = cures.find(([pattern]) => pattern.test(words))?.[1];
  return new EtcdFailure(kind, `etcd at ${place}: ${said}${cure === undefined ? '' : `: ${cure}`}`);
}
