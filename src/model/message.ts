/** Messages between the primary and its workers. */
import type { MessagePort } from 'node:worker_threads';
import type { KcpLinkInfo } from './kcp-links.js';
import type { Plan } from './plan.js';
import type { Report } from './report.js';
import type { AddressText } from './session.js';
import type { LiveCounts, SessionInfo, SessionQuery } from './session-list.js';

/** What comes to a socket: connections (TCP, Unix), or datagrams (UDP). */
export type SocketTransport = 'tcp' | 'udp';

/** A listening socket, opened by the primary. */
export interface ListeningSocket {
  readonly transport: SocketTransport;
  /** The kernel's number of the socket (`native.socketNumber`), which no other has. */
  readonly socket: number;
  /** Index into `listeners` of the Plan that travels with it. */
  readonly listener: number;
  /** A number that means another socket once this one is closed: a receiver compares `socket`. */
  readonly fd: number;
}

/** Where this process listens itself, as bound: for clients, and for the servers of the primary. */
export interface OwnAddress {
  readonly address: AddressText;
  readonly transport: SocketTransport;
}

/** What workers are told beside a Plan. */
export interface WorkerSettings {
  readonly own: readonly OwnAddress[];
  readonly logLevel: string;
  /** Workers that accept: each has its share of the rates that are for all together. */
  readonly workers: number;
}

/** Start-up data of a worker. */
export interface WorkerSetup {
  readonly worker: number;
  readonly port: MessagePort;
  readonly plan: Plan;
  /** Empty in handoff mode, where connections arrive through the inbox. */
  readonly sockets: readonly ListeningSocket[];
  /** The worker's inbox of accepted connections (handoff mode), or -1. */
  readonly inbox: number;
  /** This worker's counters (src/metrics/memory.ts): written by it alone, read by the primary. */
  readonly counters: SharedArrayBuffer;
  /** The room shared by all workers (src/metrics/room.ts). */
  readonly room: SharedArrayBuffer;
  /** Token buckets of limits of speed (native/shared/buckets.h). */
  readonly buckets: SharedArrayBuffer;
  /** Health of all endpoints (src/health/table.ts). */
  readonly health: SharedArrayBuffer;
  /** Endpoints of clients (src/upstream/affinity.ts). */
  readonly affinity: SharedArrayBuffer;
  /** One cell per worker, incremented every `beatMs` from its event loop (src/plane/heartbeats). */
  readonly beats: SharedArrayBuffer;
  readonly beatMs: number;
  /** Upper bound on splice pipes; beyond it the worker copies. */
  readonly pipes: number;
  readonly settings: WorkerSettings;
  /** What is reported beside the log; absent: nothing. */
  readonly reporting?: WorkerReporting;
  /** `workers: 0`; absent on a thread of its own. */
  readonly inline?: WorkerInline;
}

/** Endpoints are always reported, sessions while somebody listens. */
export interface WorkerReporting {
  readonly sessions: boolean;
}

/** A worker on the thread of the embedding program: what it shares with it, by reference. */
export interface WorkerInline {
  /** Functions that Plans name (src/base/user-module.ts). */
  readonly local: ReadonlyMap<string, unknown>;
  /** Aborted: end every session and finish; listening sockets may be closed already. */
  readonly cancelled: AbortSignal;
}

/** A Plan and what goes into force with it. */
export interface PlanDelivery {
  readonly plan: Plan;
  /** All sockets that the worker accepts on under this Plan. */
  readonly sockets: readonly ListeningSocket[];
  readonly settings: WorkerSettings;
  /** What is not in `plan` yet (src/base/parcels). */
  readonly rest?: MessagePort;
  /** Generation of the Plan that the worker has adopted, and that `rest` refers to. */
  readonly base?: number;
}

export type PlanMessage =
  /** Do everything that can fail, change nothing. Replaces a Plan prepared before. */
  | ({ readonly type: 'prepare' } & PlanDelivery)
  /** New sessions use the prepared Plan. */
  | { readonly type: 'commit'; readonly generation: number }
  /** Drop the prepared Plan. */
  | { readonly type: 'discard'; readonly generation: number };

/** A question about live sessions, or the order to end one. */
export type SessionAsk =
  | { readonly type: 'list'; readonly query: SessionQuery }
  | { readonly type: 'count' }
  | { readonly type: 'end'; readonly slot: number; readonly generation: number }
  /** Of reliable UDP. */
  | { readonly type: 'links'; readonly limit: number };

export type SessionReply =
  | { readonly type: 'listed'; readonly sessions: readonly SessionInfo[]; readonly matching: number }
  | { readonly type: 'counted'; readonly counts: LiveCounts }
  | { readonly type: 'ended'; readonly found: boolean }
  | { readonly type: 'links'; readonly links: readonly KcpLinkInfo[]; readonly total: number };

export type ToWorker =
  | PlanMessage
  /** `request` comes back with the reply. */
  | { readonly type: 'sessions'; readonly request: number; readonly ask: SessionAsk }
  /** Empty these sockets once more, by number, and let go of them. */
  | { readonly type: 'release'; readonly sockets: readonly number[] }
  | ({ readonly type: 'report' } & WorkerReporting)
  /** Reset the sessions that are relayed to this endpoint, by id: it is down. */
  | { readonly type: 'endpoint_down'; readonly endpoint: number }
  /**
   * Stop accepting, let sessions finish, end the remaining ones after `deadlineMs`; null: never. `handsOver`: another
   * process has the sockets of datagrams, and flows end.
   */
  | { readonly type: 'drain'; readonly deadlineMs: number | null; readonly handsOver?: boolean }
  /** Stop accepting and end all sessions at once. */
  | { readonly type: 'cut' };

/** A worker's answers about a Plan. */
export type PlanAnswer =
  /** The event loop runs, and has begun. */
  | { readonly type: 'preparing'; readonly generation: number }
  | { readonly type: 'prepared'; readonly generation: number }
  /** Can not be prepared; the worker keeps its current Plan. */
  | { readonly type: 'refused'; readonly generation: number; readonly error: string }
  | { readonly type: 'adopted'; readonly generation: number };

/** Sessions that failed because of an endpoint: its id, and how many. */
export type EndpointFailures = readonly (readonly [endpoint: number, count: number])[];

export type FromWorker =
  /** Accepting, with the Plan of its start-up data. */
  | { readonly type: 'ready'; readonly generation: number }
  | PlanAnswer
  | { readonly type: 'sessions'; readonly request: number; readonly reply: SessionReply }
  /** The backlogs are empty and not read any more: the primary may close the sockets. */
  | { readonly type: 'accepting_stopped' }
  | { readonly type: 'reports'; readonly reports: readonly Report[] }
  | { readonly type: 'failures'; readonly failures: EndpointFailures }
  /** Finished log lines in order: JSON, each with its line feed. */
  /** Whole lines, as UTF-8. */
  | { readonly type: 'log'; readonly lines: Uint8Array };
