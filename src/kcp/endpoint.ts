/**
 * Links of a program without the daemon: answers the events of a native endpoint with handshakes, and makes sockets of
 * their streams. No packet of a link comes here.
 */

import type { KcpEndpoint, KcpEvent, KcpLink } from '../addon/kcp.js';
import type { Native } from '../addon.js';
import type { InetAddress } from '../model/address.js';
import type { NoiseProfile } from '../model/kcp.js';
import { engineProfile } from './engine-profile.js';
import { KcpError } from './error.js';
import { type Identity, identityOf, type Refusal } from './handshake.js';
import { type EventOf, Handshakes } from './handshakes.js';
import { type KcpSocket, LinkSocket } from './socket.js';

/** How long the other ends are waited for when an endpoint ends its links. */
const FAREWELL_MS = 2000;

export interface EndpointParts {
  readonly native: Native;
  readonly side: 'client' | 'server';
  readonly profile: NoiseProfile;
  readonly allowHalfOpen: boolean;
  /** A client's stream. */
  readonly onSocket: (socket: KcpSocket) => void;
  readonly onRefused: (refusal: Refusal, from: InetAddress) => void;
}

/** A link of our own that is not up yet. */
interface Waiting {
  readonly address: InetAddress;
  readonly timeoutMs: number;
  readonly resolve: (socket: KcpSocket) => void;
  readonly reject: (error: KcpError) => void;
}

export class Endpoint {
  readonly #parts: EndpointParts;
  readonly #native: KcpEndpoint;
  readonly #identity: Identity;
  readonly #handshakes: Handshakes;
  readonly #waiting = new Map<number, Waiting>();
  /** Link → what it has agreed on. */
  readonly #sessions = new Map<number, string>();
  readonly #sockets = new Map<number, LinkSocket>();
  /** Stream → link. */
  readonly #streams = new Map<number, number>();
  #emptied: (() => void) | null = null;
  #isClosed = false as boolean;

  constructor(parts: EndpointParts) {
    const { native, side, profile } = parts;
    this.#parts = parts;
    this.#identity = identityOf(side, profile);
    this.#native = new native.KcpEndpoint({
      profile: { ...engineProfile(profile, 0), singleStream: true },
      onEvent: (event) => this.#on(event),
    });
    this.#handshakes = new Handshakes(this.#native, (link, session) => this.#sessions.set(link, session));
  }

  /** Throws with the system's `code`. */
  bind(address: InetAddress): InetAddress {
    return this.#native.bind(address) as InetAddress;
  }

  connect(address: InetAddress, timeoutMs: number): Promise<KcpSocket> {
    return new Promise((resolve, reject) => {
      try {
        const link = this.#native.connect(address, timeoutMs);
        this.#waiting.set(link, { address, timeoutMs, resolve, reject });
      } catch (cause) {
        reject(new KcpError('connect_failed', `${placeOf(address)}: ${messageOf(cause)}`, { cause }));
      }
    });
  }

  get sockets(): IterableIterator<KcpSocket> {
    return this.#sockets.values();
  }
  get size(): number {
    return this.#sockets.size;
  }
  links(): KcpLink[] {
    return this.#isClosed ? [] : this.#native.links();
  }
  sessionOf(link: number): string | undefined {
    return this.#sessions.get(link);
  }

  /** No new links. Resolves when the sockets there are have closed, or the time is over. */
  async drain(ms: number): Promise<void> {
    this.#native.drain();
    await this.#emptyWithin(ms);
  }

  /** Ends every link, tells the other ends, and gives everything back. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    for (const link of this.#sessions.keys()) this.#native.end(link);
    await this.#emptyWithin(FAREWELL_MS);
    this.closeNow();
  }

  closeNow(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#native.close();
    for (const socket of this.#sockets.values()) socket.linkEnded('shutdown', null);
    this.#sockets.clear();
  }

  #emptyWithin(ms: number): Promise<void> {
    if (this.#sockets.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#emptied = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #on(event: KcpEvent): void {
    switch (event.kind) {
      case 'hello':
        return this.#greet(event);
      case 'begin':
        return this.#handshakes.call(event, this.#identity);
      case 'answer':
        return this.#handshakes.answered(event);
      case 'up':
        return this.#up(event);
      case 'stream':
        return this.#arrived(event);
      case 'reset':
        return this.#sockets.get(this.#streams.get(event.stream) ?? -1)?.reset();
      case 'down':
        return this.#down(event);
    }
  }

  #greet(event: EventOf<'hello'>): void {
    const refusal = this.#handshakes.greet(event, this.#identity);
    if (refusal !== null) this.#parts.onRefused(refusal, event.from as InetAddress);
  }

  #up({ link, from }: EventOf<'up'>): void {
    const waiting = this.#waiting.get(link);
    if (waiting === undefined) return;
    this.#waiting.delete(link);
    try {
      waiting.resolve(this.#socketOf(link, this.#native.open(link), from as InetAddress));
    } catch (cause) {
      waiting.reject(new KcpError('connect_failed', messageOf(cause), { cause }));
    }
  }

  #arrived({ link, stream, fd, from }: EventOf<'stream'>): void {
    const socket = this.#socketOf(link, { stream, fd }, from as InetAddress);
    // What it throws is its program's, not the engine's.
    process.nextTick(() => this.#parts.onSocket(socket));
  }

  #socketOf(
    link: number,
    end: { readonly stream: number; readonly fd: number },
    remote: InetAddress,
  ): LinkSocket {
    const { allowHalfOpen } = this.#parts;
    const sessionId = this.#sessions.get(link) ?? '';
    const socket = new LinkSocket({ endpoint: this.#native, link, ...end, sessionId, remote, allowHalfOpen });
    this.#sockets.set(link, socket);
    this.#streams.set(end.stream, link);
    socket.once('close', () => this.#streams.delete(end.stream));
    return socket;
  }

  #down({ link, reason, stats }: EventOf<'down'>): void {
    this.#handshakes.forget(link);
    this.#sessions.delete(link);
    const waiting = this.#waiting.get(link);
    this.#waiting.delete(link);
    waiting?.reject(unreachable(waiting, reason));
    const socket = this.#sockets.get(link);
    this.#sockets.delete(link);
    socket?.linkEnded(reason, stats);
    if (this.#sockets.size === 0) this.#emptied?.();
  }
}

function unreachable({ address, timeoutMs }: Waiting, reason: string): KcpError {
  if (reason !== 'timeout') return new KcpError('connect_failed', `${placeOf(address)}: ${reason}`);
  const why = 'nobody listens there, the secrets differ, or the clocks are minutes apart';
  return new KcpError('connect_timeout', `no answer from ${placeOf(address)} within ${timeoutMs} ms: ${why}`);
}

const placeOf = ({ host, port }: InetAddress): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;

const messageOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));
