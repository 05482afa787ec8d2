/** The contract of an in-process service: a module whose default export is a `Handler`. */
import type { Duplex } from 'node:stream';
import type { Facts } from '../model/facts.js';
import type { AddressText } from '../model/session.js';

/** What a handler is told about the session that it serves. */
export interface HandlerSession {
  /** Unique among the sessions that are open in this process. */
  readonly id: string;
  readonly listener: string;
  /** The protocol's id; null when the bytes are of none that is known. */
  readonly protocol: string | null;
  /** The client's address. */
  readonly source: AddressText;
  readonly facts: Facts;
  /** From accept to the protocol being known, milliseconds. */
  readonly identifyMs: number;
  /** The bytes that settled the protocol. */
  readonly decidedAtByte: number;
  /** Index of the worker thread that serves the session. */
  readonly worker: number;
}

/**
 * Serves one session. The socket's first read yields the bytes that were sniffed; it allows half-open use, so
 * the handler ends its own side, and listens to its `error`: a session that is cut short is one (`ECONNRESET`), and
 * `end` means that the client has finished. What it throws at once, or rejects with, ends this
 * session, and a promise that it forgets and that rejects is logged; what it throws later, from an event, is uncaught
 * and costs the worker thread.
 */
export type Handler = (socket: Duplex, session: HandlerSession) => void | Promise<void>;
