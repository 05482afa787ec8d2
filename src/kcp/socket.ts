/**
 * One link with its one stream, as a socket: a net.Socket on a descriptor that the engine relays, so back-pressure and
 * half-close are the kernel's. It is closed when its link is gone, not before: then it is known why.
 */
import { Socket } from 'node:net';
import type { KcpEndpoint, KcpStats } from '../addon/kcp.js';
import type { InetAddress } from '../model/address.js';
import { KCP_WINDOW_MAX, kcpMtuLimits } from '../model/kcp.js';
import type { KcpFigures } from '../model/kcp-links.js';
import { closeError, closeReason, type KcpCloseReason, KcpError } from './error.js';

/** Of flushes, in milliseconds. */
const intervalLimits = { min: 10, max: 5000 } as const;

export interface SocketParts {
  readonly endpoint: KcpEndpoint;
  readonly link: number;
  readonly stream: number;
  /** Becomes the socket's. */
  readonly fd: number;
  readonly sessionId: string;
  readonly remote: InetAddress;
  readonly allowHalfOpen: boolean;
}

/** Figures of a connection; counts are since it began. */
export interface KcpSocketStats extends KcpFigures {
  /** Round trip, smoothed; 0: not measured yet. */
  readonly rttMs: number;
  readonly rttVarMs: number;
}

/**
 * A connection of reliable UDP. Events are those of net.Socket; 'close' comes when the link has gone, and its second
 * argument is the reason. `destroy` resets the other end.
 */
export interface KcpSocket extends Socket {
  /** 32 hexadecimal digits, the same at both ends. */
  readonly sessionId: string;
  /** Why it was closed; null: it is not. */
  readonly closeReason: KcpCloseReason | null;
  /** Now, or as they were last; null: it was never up. */
  stats(): KcpSocketStats | null;
  /** In segments, 1 to 65535: how many may be sent and not acknowledged, and received and not read. */
  setWindow(send: number, receive: number): void;
  /** UDP payload in bytes, 576 to 1500. What is under way keeps its size. */
  setMtu(bytes: number): void;
  /** The least time until a segment is sent again because nothing was heard of it, in milliseconds, 10 to 5000; below 30 it is 30. */
  setInterval(ms: number): void;
}

export class LinkSocket extends Socket implements KcpSocket {
  readonly sessionId: string;
  readonly #parts: SocketParts;
  #stats: KcpStats | null = null;
  /** Why its link has gone; null: it has not. */
  #ended: string | null = null;
  #isReset = false;
  #reason: KcpCloseReason | null = null;
  /** Its descriptor is closed. */
  #isShut = false as boolean;
  #settle: (() => void) | null = null;

  constructor(parts: SocketParts) {
    super({ fd: parts.fd, readable: true, writable: true, allowHalfOpen: parts.allowHalfOpen });
    this.#parts = parts;
    this.sessionId = parts.sessionId;
    // The descriptor is a Unix socket, which has no addresses.
    const { host, port } = parts.remote;
    Object.defineProperties(this, {
      remoteAddress: { value: host },
      remotePort: { value: port },
      remoteFamily: { value: host.includes(':') ? 'IPv6' : 'IPv4' },
    });
  }

  get closeReason(): KcpCloseReason | null {
    return this.#reason;
  }

  stats(): KcpSocketStats | null {
    const { endpoint, link } = this.#parts;
    if (this.#ended === null) this.#stats = endpoint.links().find((row) => row.link === link) ?? this.#stats;
    return this.#stats;
  }

  setWindow(send: number, receive: number): void {
    checkInteger('the window to send', send, 1, KCP_WINDOW_MAX);
    checkInteger('the window to receive', receive, 1, KCP_WINDOW_MAX);
    this.#parts.endpoint.setWindow(this.#parts.link, send, receive);
  }

  setMtu(bytes: number): void {
    checkInteger('the MTU', bytes, kcpMtuLimits.min, kcpMtuLimits.max);
    this.#parts.endpoint.setMtu(this.#parts.link, bytes);
  }

  setInterval(ms: number): void {
    checkInteger('the interval', ms, intervalLimits.min, intervalLimits.max);
    this.#parts.endpoint.setInterval(this.#parts.link, ms);
  }

  /** The other end has reset the stream: the descriptor's end would pass for a FIN. */
  reset(): void {
    this.#isReset = true;
    this.destroy(closeError('reset'));
  }

  /** The link is gone. After an orderly end the descriptor still has what was not read. */
  linkEnded(reason: string, stats: KcpStats | null): void {
    this.#stats = stats ?? this.#stats;
    this.#ended = reason;
    if (this.destroyed) this.#settle?.();
    else if (reason !== 'done') this.destroy(closeError('reset'));
  }

  #isFinished(): boolean {
    return this.writableFinished && this.readableEnded;
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    const isFinished = this.#isFinished();
    // Before the descriptor is closed, which would be relayed as a FIN.
    if (!(isFinished || this.#isReset) && this.#ended === null)
      this.#parts.endpoint.reset(this.#parts.stream);
    this.#settle = () => {
      if (!this.#isShut || this.#ended === null || this.#reason !== null) return;
      const reason = closeReason(this.#ended, isFinished);
      this.#reason = reason;
      const isOurs = error === null || error instanceof KcpError;
      const failure = isOurs && reason !== 'done' && error !== null ? closeError(reason) : error;
      callback(failure);
      // Behind 'error'.
      process.nextTick(() => super.emit('close', failure !== null, reason));
    };
    super._destroy(error, () => {});
  }

  // net.Socket says 'close' with its descriptor.
  override emit(event: string | symbol, ...values: unknown[]): boolean {
    if (event !== 'close') return super.emit(event, ...values);
    this.#isShut = true;
    this.#settle?.();
    return true;
  }
}

function checkInteger(what: string, value: number, min: number, max: number): void {
  if (Number.isInteger(value) && value >= min && value <= max) return;
  throw new KcpError('invalid_argument', `${what} is ${min} to ${max}, got ${String(value)}`);
}
