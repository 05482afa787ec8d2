/** What the primary and its workers say to each other. */
import type { MessagePort } from 'node:worker_threads';
import type { Plan } from './plan.js';

/** A listening socket, opened by the primary; `listener` indexes `Plan.listeners`. */
export interface ListeningSocket {
  readonly listener: number;
  readonly fd: number;
}

/** All that a worker is born with. */
export interface WorkerSetup {
  readonly worker: number;
  readonly workers: number;
  readonly port: MessagePort;
  readonly plan: Plan;
  /** Empty in handoff mode, where connections come through the inbox. */
  readonly sockets: readonly ListeningSocket[];
  /** The worker's inbox of accepted connections (handoff mode), or -1. */
  readonly inbox: number;
  /** This worker's counters (src/metrics/memory.ts): written by it alone, read by the primary. */
  readonly counters: SharedArrayBuffer;
  /** What all workers share (src/metrics/room.ts). */
  readonly room: SharedArrayBuffer;
  /** One cell a worker, which it adds to every `beatMs` from its event loop (src/plane/heartbeats). */
  readonly beats: SharedArrayBuffer;
  readonly beatMs: number;
  /** How many kernel pipes it may hold to splice through; past that it copies. */
  readonly pipes: number;
  readonly logLevel: string;
}

export type PlanMessage =
  /** Make this Plan ready: do all that can fail, change nothing. Takes the place of one that was prepared before. */
  | { readonly type: 'prepare'; readonly plan: Plan }
  /** New sessions begin with the Plan that was prepared. */
  | { readonly type: 'commit'; readonly generation: number }
  /** Forget it. */
  | { readonly type: 'discard'; readonly generation: number };

export type ToWorker =
  | PlanMessage
  /** Stop accepting; let sessions finish; end those that are left after `deadlineMs`. */
  | { readonly type: 'drain'; readonly deadlineMs: number }
  /** The same at once: the operator does not wait. */
  | { readonly type: 'cut' };

/** What became of a Plan in a worker. */
export type PlanAnswer =
  | { readonly type: 'prepared'; readonly generation: number }
  /** It can not be prepared; the worker goes on as before. */
  | { readonly type: 'refused'; readonly generation: number; readonly error: string }
  | { readonly type: 'adopted'; readonly generation: number };

export type FromWorker =
  /** Accepting, with the Plan that it was born with. */
  | { readonly type: 'ready'; readonly generation: number }
  | PlanAnswer
  /** The accept queues are empty and will not be read again: the primary may close the sockets. */
  | { readonly type: 'accepting_stopped' }
  /** Finished log lines (JSON, each with its line feed), in order. */
  | { readonly type: 'log'; readonly lines: string };
