/**
 * Admission of connections to the monitoring and control servers: bounded in total and per source, yet the newest is always
 * admitted. It evicts the oldest connection without a request, else the oldest: probes and scrapers send their
 * request at once.
 */
import type { Socket } from 'node:net';

export interface VisitorLimits {
  /** Total on all ports that share them. */
  readonly connectionsMax: number;
  readonly connectionsPerSourceMax: number;
}

/** Of all monitoring ports. */
export const visitorLimits: VisitorLimits = {
  connectionsMax: 32,
  connectionsPerSourceMax: 16,
};

interface Visitor {
  readonly source: string;
  hasAsked: boolean;
}

export class Visitors {
  readonly #limits: VisitorLimits;
  /** In order of arrival. */
  readonly #visitors = new Map<Socket, Visitor>();
  /** Connections reset to admit newer ones. */
  evicted = 0;

  constructor(limits: VisitorLimits = visitorLimits) {
    this.#limits = limits;
  }

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
    if (own.length >= this.#limits.connectionsPerSourceMax) this.#evictFrom(own);
    else if (all.length >= this.#limits.connectionsMax) this.#evictFrom(all);
  }

  #evictFrom(visitors: readonly (readonly [Socket, Visitor])[]): void {
    const [socket] = visitors.find(([, { hasAsked }]) => !hasAsked) ?? visitors[0] ?? [];
    if (!socket) return;
    this.#visitors.delete(socket);
    this.evicted += 1;
    socket.resetAndDestroy();
  }
}
