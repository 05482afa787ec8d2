/** What workers report to the program that embeds them, beside the log: ended sessions and endpoints that change state. */
import type { Facts } from './facts.js';
import type { SessionTransport } from './protocol.js';
import type { Ender, Reason, Stage } from './session.js';

/** A session at its end, or a refused connection. Bytes up are from the client; times are milliseconds. */
export interface EndedSession {
  /** When it ended. */
  readonly time: Date;
  readonly listener: string;
  /** Its id; null: not identified. */
  readonly protocol: string | null;
  /** What its first bytes said: `sni`, `host` … */
  readonly facts: Facts;
  /** `ADDRESS:PORT` of the client, or `unix`. */
  readonly source: string;
  /** `udp`: a flow, the datagrams of one client. `kcp`: a stream of a link. */
  readonly transport: SessionTransport;
  readonly upstream: string | null;
  /** As configured; of a session whose client says where it goes, what it has asked for. */
  readonly endpoint: string | null;
  /** Whom such a client has proved to be, if users are logged. */
  readonly user?: string | undefined;
  /** What such a client was answered: an HTTP status, whatever its protocol. */
  readonly status?: number | undefined;
  /** Those that had come when its protocol and route were decided; of a flow, the first datagrams. */
  readonly openingBytes: number;
  readonly bytesUp: number;
  readonly bytesDown: number;
  readonly identifyMs: number;
  readonly connectMs: number;
  /** How long it waited for a place at an endpoint; undefined: not at all. */
  readonly queueMs?: number | undefined;
  readonly durationMs: number;
  /** Who ended it. */
  readonly by: Ender;
  /** At which stage. */
  readonly during: Stage;
  readonly reason: Reason;
  /** The failure: name of an errno, name of a limit, or message of a handler's error. */
  readonly error?: string | undefined;
  /** The route or key that decided the rejection. */
  readonly route?: string | undefined;
  /** First bytes of an unrecognised opening, in hexadecimal. */
  readonly opening?: string | undefined;
  readonly worker: number;
}

export interface EndpointChange {
  readonly upstream: string;
  readonly endpoint: string;
  readonly state: 'up' | 'down';
  /** Why it is down: the name of an errno where sessions could not connect, else in words of anyport. */
  readonly error: string | null;
}

export type Report =
  | { readonly type: 'session'; readonly session: EndedSession }
  | { readonly type: 'endpoint'; readonly change: EndpointChange };
