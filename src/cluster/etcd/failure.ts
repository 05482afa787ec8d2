/** Why a call to etcd has failed, in words and as a kind that callers act on. */

export type EtcdFailureKind =
  /** No endpoint could be asked: refused, unreachable, TLS, or its answer is not etcd's. */
  | 'unreachable'
  /** Asked, and no answer within the deadline, or no leader: it may have been done. */
  | 'late'
  /** The user is not known, or may not do this. */
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
  [grpcCodes.unauthenticated, 'denied'],
]);

/** Characters of etcd's words that are kept. */
const WORDS_MAX = 300;

/** `code`: gRPC's. etcd has one code (InvalidArgument) for a wrong password and for a malformed request. */
export function failureOf(code: number, words: string, place: string): EtcdFailure {
  const isLogin = /authentication failed|user name is empty|auth revision in header is old/.test(words);
  const kind = isLogin ? 'denied' : (kinds.get(code) ?? 'refused');
  return new EtcdFailure(kind, `etcd at ${place}: ${words.replace(/^etcdserver: /, '').slice(0, WORDS_MAX)}`);
}
