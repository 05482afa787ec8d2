/** The contract of an in-process service: a module whose default export is a `Handler`. */
import type { Socket as DatagramSocket } from 'node:dgram';
import type { Duplex } from 'node:stream';
import type { Facts } from '../model/facts.js';
import type { Transport } from '../model/protocol.js';
import type { AddressText } from '../model/session.js';

/** The session as a handler sees it. */
export interface HandlerSession {
  /** Unique among the open sessions of this process. */
  readonly id: string;
  readonly listener: string;
  /** `udp`: a flow, whose handler is a `DatagramHandler`. */
  readonly transport: Transport;
  /** The protocol's id; null: not recognised. */
  readonly protocol: string | null;
  /** `ADDRESS:PORT` of the client, or `unix`; behind a trusted PROXY header the announced one. */
  readonly source: AddressText;
  readonly facts: Facts;
  /** Milliseconds from accept to identification. */
  readonly identifyMs: number;
  /** Length of the prefix that decided the protocol, in bytes. */
  readonly decidedAtByte: number;
  /** Index of the worker thread that runs the session. */
  readonly worker: number;
}

/**
 * Serves one session. The first read yields the sniffed bytes. The socket is half-open: `end` means that the client
 * has finished, and the handler ends its own side. A session cut short is an `error` with the code `ECONNRESET`. A
 * synchronous throw, a rejection or `socket.destroy(error)` resets the client; an unhandled rejection is logged; an
 * exception in an event listener is uncaught and costs the worker thread. `for await` over the socket destroys it at its
 * end: to answer after a whole upload, iterate `socket.iterator({ destroyOnReturn: false })`.
 */
export type Handler = (socket: Duplex, session: HandlerSession) => unknown;

/**
 * Serves one flow (`session.transport` is `udp`): the datagrams of one client address. The socket is connected to the
 * client, as far as it can see: `message` is a datagram of its, the first one and those behind it included, and
 * `send(bytes)` without an address one to it. Listen before the first `await`, because nothing is kept for later. `close()`
 * ends the flow (`done`), and so does `udp.idle_timeout`; when it ends otherwise, the socket closes. A synchronous throw, a
 * rejection or an `error` of the socket ends it as `handler_error`; an exception in an event listener is uncaught and costs
 * the worker thread.
 */
export type DatagramHandler = (socket: DatagramSocket, session: HandlerSession) => unknown;

/** For TypeScript: gives a handler of flows where handlers are given. */
export const datagramHandler = (handler: DatagramHandler): Handler => handler as unknown as Handler;
