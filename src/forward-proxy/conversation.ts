/**
 * What a client says until its destination is known, and what it is told: one object a session, of its protocol. Bytes in,
 * bytes out; who judges users and destinations is not known here.
 */

import type { RefusalCause } from '../model/connect-proxy.js';
import type { Destination } from './destination.js';
import type { Refused } from './refusals.js';
import type { Credentials } from './users/index.js';

export interface Conversation {
  /** `bytes`: all that has come since the last reply. `isQuiet`: nothing has come for as long as was asked for. */
  read(bytes: Uint8Array, isQuiet: boolean): Heard;
  /** The last bytes to a client whose request is refused. */
  refusal(cause: RefusalCause, why: string): Uint8Array;
  /** For a client whose destination is connected. */
  readonly granted: Uint8Array;
}

export type Heard =
  /** `bytesNeeded`: length of all bytes at which to read again; or after a silence of `quietMs`. */
  | { readonly verdict: 'more'; readonly bytesNeeded: number; readonly quietMs?: number }
  | Reply
  | Identity
  | { readonly verdict: 'request'; readonly destination: Destination; readonly taken: number }
  /** It wants its datagrams relayed, which come from this port; 0: it does not say which. */
  | { readonly verdict: 'association'; readonly port: number; readonly taken: number }
  | Refused;

/** The client is told `bytes`, and goes on then. */
export interface Reply {
  readonly verdict: 'reply';
  readonly bytes: Uint8Array;
  /** Length of what it has been said to. */
  readonly taken: number;
}

/** Who the client says it is; what follows depends on whether that is so. */
export interface Identity {
  readonly verdict: 'identity';
  /** Null: it has not said, or nobody can be that. */
  readonly credentials: Credentials | null;
  accepted(): Heard;
  /** A reply: the client may try again. */
  rejected(why: string): Reply | Refused;
}
