/**
 * The typed snapshot of what runs: the library's `metrics()` and the status of the control interface. Plain data, fit
 * for JSON. Counts are totals since the start over all workers, those that ended included; gauges are of this moment.
 * What is not built yet is there with zeros, or null where zero would be a statement.
 */
import type { KcpDrop } from './kcp.js';
import type { Reason } from './session.js';

export interface Snapshot {
  /** When it was read, in milliseconds since the epoch. */
  readonly time: number;
  /** Generation of the configuration in force. */
  readonly generation: number;
  /** Worker threads: wanted, and accepting now. With `workers: 0` the calling thread counts as one. */
  readonly workers: { readonly wanted: number; readonly accepting: number };
  /** Sessions open now, those under identification included. */
  readonly activeConnections: number;
  /** Sessions accepted, those refused at once included: what is active and what `endedConnections` counts. */
  readonly acceptedConnections: number;
  /** Sessions ended, by reason; reasons that have not occurred are 0. */
  readonly endedConnections: Readonly<Record<Reason, number>>;
  /** Bytes relayed; up is from the clients. */
  readonly bytes: ByteCounts;
  readonly connectionPool: ConnectionPoolSnapshot;
  readonly security: SecuritySnapshot;
  readonly memoryPool: MemoryPoolSnapshot;
  readonly kcp: KcpSnapshot;
  readonly index: IndexSnapshot;
  /** Share of look-ups that the affinity and address caches answered, 0 to 1; null: nothing was looked up yet. */
  readonly cacheHitRate: number | null;
  /** By protocol id, as in labels and logs; those that no session has spoken yet are absent. */
  readonly protocols: Readonly<Record<string, ProtocolSnapshot>>;
}

export interface ByteCounts {
  readonly up: number;
  readonly down: number;
}

/** Connections to endpoints. `hits` and `misses` are of upstreams with a pool alone. */
export interface ConnectionPoolSnapshot {
  /** Carrying a session now. */
  readonly active: number;
  /** Opened ahead, waiting for a session. */
  readonly idle: number;
  /** Sessions that found a connection opened ahead. */
  readonly hits: number;
  /** Sessions that found none. */
  readonly misses: number;
  /** Connections opened ahead that no session got. */
  readonly wasted: number;
  /** Attempts to connect that failed. */
  readonly failures: number;
}

/** Links of reliable UDP, of both ends. */
export interface KcpSnapshot {
  /** Now. */
  readonly links: number;
  /** Those sent again included. */
  readonly segmentsSent: number;
  readonly segmentsReceived: number;
  /** Segments sent again. */
  readonly retransmits: number;
  /** Datagrams that parity has brought back. */
  readonly recovered: number;
  /** Of links that their server does not know any more. */
  readonly resetsSent: number;
  readonly resetsReceived: number;
  /** Datagrams that may have been for a link and were of no use to it, by reason. */
  readonly dropped: Readonly<Record<KcpDrop, number>>;
}

/** What admission has done. Connections that a PROXY header announced are judged by their address there. */
export interface SecuritySnapshot {
  /** Connections judged: all that came. */
  readonly total: number;
  /** Refused, for whatever reason of those below. */
  readonly blocked: number;
  /** Refused by a rate, of their source or in all. */
  readonly rateLimited: number;
  /** Let in without limits: `ip_whitelist`. */
  readonly whitelisted: number;
  /** Refused by `ip_blacklist`. */
  readonly blacklisted: number;
  /** Bans that the guard has made. */
  readonly attacks: number;
  /** Refused before a byte was read, by reason. */
  readonly refused: {
    readonly overLimit: number;
    readonly denied: number;
    readonly rateLimited: number;
    readonly banned: number;
  };
  /** Sessions that a route rejected. */
  readonly rejected: number;
  /** Sources banned now. */
  readonly bansActive: number;
}

/** The native buffers that openings and slow receivers occupy. */
export interface MemoryPoolSnapshot {
  /** Ascending by size. */
  readonly tiers: readonly MemoryTier[];
}

export interface MemoryTier {
  /** Label of the tier in `anyport_buffers`. */
  readonly name: string;
  /** Size of a buffer. */
  readonly bytes: number;
  /** Buffers in use now. */
  readonly inUse: number;
  /** The others. */
  readonly free: number;
  /** Most buffers in use at once so far; the sum of the peaks of all workers. */
  readonly highWater: number;
  /** Times a buffer was taken. */
  readonly uses: number;
  /** Times that one was wanted and none was free. */
  readonly misses: number;
  /** Share of the uses among both, 0 to 1; null: none was wanted yet. */
  readonly hitRate: number | null;
}

/** What the classifier knows. */
export interface IndexSnapshot {
  /** Protocols that sessions can be routed by. */
  readonly configured: number;
  /** Further built-ins that can only name a session. */
  readonly naming: number;
  readonly routes: number;
  /** Memory of all automata. */
  readonly bytes: number;
}

export interface ProtocolSnapshot {
  /** Sessions open now. */
  readonly active: number;
  /** Sessions identified as this protocol. */
  readonly identified: number;
  /** Sessions ended. */
  readonly ended: number;
  readonly bytes: ByteCounts;
}
