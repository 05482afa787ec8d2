/**
 * The connections to the monitoring servers: bounded, in all and for one source, and yet the newest is always let in.
 * Another one goes for it, first one that has asked nothing yet: whoever probes asks at once.
 */
import type { Socket } from 'node:net';

export const visitorLimits = {
  /** On all monitoring ports together. */
  connectionsMax: 32,
  connectionsPerSourceMax: 16,
} as const;

interface Visitor {
  readonly source: string;
  hasAsked: boolean;
}

export class Visitors {
  /** Oldest first. */
  readonly #visitors = new Map<Socket, Visitor>();
  /** Connections closed to make room. */
  evicted = 0;

  admit(socket: Socket): void {
    const source = socket.remoteAddress ?? '';
    this.#makeRoom(source);
    this.#visitors.set(socket, { source, hasAsked: false });
    socket.once('close', () => this.#visitors.delete(socket));
  }

  /** Its request has arrived whole. */
  asked(socket: Socket): void {
    const visitor = this.#visitors.get(socket);
    if (visitor) visitor.hasAsked = true;
  }

  #makeRoom(source: string): void {
    const all = [...this.#visitors];
    const own = all.filter(([, visitor]) => visitor.source === source);
    if (own.length >= visitorLimits.connectionsPerSourceMax) this.#evictFrom(own);
    else if (all.length >= visitorLimits.connectionsMax) this.#evictFrom(all);
  }

  #evictFrom(visitors: readonly (readonly [Socket, Visitor])[]): void {
    const [socket] = visitors.find(([, { hasAsked }]) => !hasAsked) ?? visitors[0] ?? [];
    if (!socket) return;
    this.#visitors.delete(socket);
    this.evicted += 1;
    socket.resetAndDestroy();
  }
}
