/**
 * Admission of connections to the monitoring servers: bounded in total and per source, yet the newest is always
 * admitted. It evicts the oldest connection without a request, else the oldest: probes and scrapers send their
 * request at once.
 */
import type { Socket } from 'node:net';

export const visitorLimits = {
  /** Total on all monitoring ports. */
  connectionsMax: 32,
  connectionsPerSourceMax: 16,
} as const;

interface Visitor {
  readonly source: string;
  hasAsked: boolean;
}

export class Visitors {
  /** In order of arrival. */
  readonly #visitors = new Map<Socket, Visitor>();
  /** Connections reset to admit newer ones. */
  evicted = 0;

  admit(socket: Socket): void {
    const source = socket.remoteAddress ?? '';
    this.#makeRoom(source);
    this.#visitors.set(socket, { source, hasAsked: false });
    socket.once('close', () => this.#visitors.delete(socket));
  }

  /** Marks the connection: a complete request has arrived. */
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
