/** Live sessions: what can be asked for, and the answers. Plain data: it crosses threads and the control interface. */
import type { SessionTransport } from './protocol.js';
import type { Stage } from './session.js';

/** `newest` and `oldest` by their accept, `largest` by the bytes relayed both ways. */
export const sessionOrders = ['newest', 'oldest', 'largest'] as const;
export type SessionOrder = (typeof sessionOrders)[number];

export const sessionListLimits = {
  rowsDefault: 100,
  rowsMax: 1000,
} as const;

/** Which sessions. Every key that is present must hold. */
export interface SessionQuery {
  readonly listener?: string | undefined;
  readonly protocol?: string | undefined;
  readonly upstream?: string | undefined;
  readonly endpoint?: string | undefined;
  /** An address, a network (`10.0.0.0/8`), or `unix`. */
  readonly source?: string | undefined;
  /** Default `newest`. */
  readonly order?: SessionOrder | undefined;
  /** 1 to `rowsMax`; default `rowsDefault`. */
  readonly limit?: number | undefined;
}

/** A live session, in the names of the configuration with which it began. */
export interface SessionInfo {
  /** `WORKER-SLOT-GENERATION`, as in the log and in `HandlerSession.id`. */
  readonly id: string;
  readonly worker: number;
  readonly listener: string;
  /** Null: not identified. */
  readonly protocol: string | null;
  readonly stage: Stage;
  readonly source: string;
  /** `udp`: a flow, the datagrams of one client. `kcp`: a stream of a link. */
  readonly transport: SessionTransport;
  /** What decided: the name of a route, `on_unknown`, `on_silence`; null: nothing yet. */
  readonly route: string | null;
  readonly upstream: string | null;
  /** Null: none yet, or an in-process handler. */
  readonly endpoint: string | null;
  readonly bytesUp: number;
  readonly bytesDown: number;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly durationMs: number;
  /** Time since a byte was relayed; null before the relay. */
  readonly idleMs: number | null;
}

export interface SessionList {
  /** In the order asked for, at most `limit`. */
  readonly sessions: readonly SessionInfo[];
  /** All that match, those beyond the limit too. */
  readonly matching: number;
  /** Workers that did not answer in time: their sessions are not in the list. */
  readonly missing: readonly number[];
}

/** Number of sessions by name. */
export type NameCounts = ReadonlyMap<string, number>;

/** Live sessions by the names of their own configurations. A name without sessions has no entry. */
export interface LiveCounts {
  readonly listeners: NameCounts;
  readonly protocols: NameCounts;
  readonly routes: NameCounts;
  /** Upstreams, those with a handler too. */
  readonly upstreams: NameCounts;
  /** By `UPSTREAM ENDPOINT`. */
  readonly endpoints: NameCounts;
}

/** `unknown`: there is no such session (any more). `no_answer`: its worker did not answer in time. */
export type EndedSession = 'ended' | 'unknown' | 'no_answer';
