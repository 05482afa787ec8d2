/** Handoff mode: the primary accepts. Its part of a change comes in steps around the workers' own (src/addon.ts). */
import { type Acceptor, native } from '../addon.js';
import { NONE } from '../model/ids.js';
import type { PlaneChange } from './change.js';

export class Handoff {
  readonly #room: Int32Array;
  /** Null before the first socket, because it has a share in the primary's event loop. */
  #acceptor: Acceptor | null = null;

  constructor(room: Int32Array) {
    this.#room = room;
  }

  /** `inboxes`: of its workers. In reuseport mode it accepts nothing, and never datagrams. Throws when descriptors are lacking. */
  prepare({ plan, sockets: all, accept, acceptsPerTurn }: PlaneChange, inboxes: readonly number[]): void {
    const sockets = accept === 'handoff' ? all.of(0).filter(({ transport }) => transport === 'tcp') : [];
    if (sockets.length === 0 && this.#acceptor === null) return;
    this.#acceptor ??= new native.Acceptor({ room: this.#room });
    this.#acceptor.prepare({
      generation: plan.generation,
      sockets: sockets.map((socket) => ({
        ...socket,
        listener: plan.ids.listeners[socket.listener] ?? NONE,
      })),
      inboxes,
      maxConnections: plan.limits.maxConnections,
      acceptsPerTurn,
    });
  }

  leave(): void {
    this.#acceptor?.leave();
  }

  commit(): void {
    this.#acceptor?.commit();
  }

  discard(): void {
    this.#acceptor?.discard();
  }

  release(sockets: readonly number[]): void {
    this.#acceptor?.release(sockets);
  }

  stopAccepting(): void {
    this.#acceptor?.stopAccepting();
  }

  /** Idempotent. */
  close(): void {
    this.#acceptor?.close();
    this.#acceptor = null;
  }
}
