/**
 * The connection of a UDP association (RFC 1928 section 7). Nothing is said on it: it is there so that both sides know when the
 * association ends.
 */
import { once } from 'node:events';
import { Socket } from 'node:net';
import type { Served } from './in-process.js';

export class Association implements Served {
  readonly finished: Promise<unknown>;
  readonly #socket: Socket;
  readonly #dissociate: () => void;

  /** `fd` becomes its socket. `spoke`: the client has sent something on it; called at most once. */
  constructor(fd: number, options: { readonly spoke: () => void; readonly dissociate: () => void }) {
    this.#dissociate = options.dissociate;
    this.#socket = new Socket({ fd, readable: true, writable: true });
    this.#socket.on('error', () => this.#socket.destroy());
    this.#socket.once('data', () => {
      this.#socket.pause();
      options.spoke();
    });
    this.finished = once(this.#socket, 'close');
  }

  ended(): void {
    this.#dissociate();
    this.#socket.destroy();
  }
}
