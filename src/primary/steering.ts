/**
 * Keeps connections off sockets that nobody is going to accept on: those that retire, and those of a change that may
 * still be refused. The kernel sends the connections of a steered group to its first sockets alone.
 */
import { allOf, type SocketGroup } from './socket-group.js';

/** Groups of one address by the number of their first socket, which never leaves them → how many get connections. */
type Steered = Map<number, number>;

/** New connections of the group of `fd` go to its first `sockets`; 0: to all. Must not throw. */
export type Steer = (fd: number, sockets: number) => void;

export class Steering {
  readonly #steer: Steer;
  #steered: Steered = new Map();
  #before: Steered = new Map();

  constructor(steer: Steer) {
    this.#steer = steer;
  }

  /** Sockets opened from now on get no connections until `commit`. */
  hold(groups: readonly SocketGroup[], size: number): void {
    this.#before = new Map(this.#steered);
    for (const group of groups) {
      const all = allOf(group);
      const [first] = all;
      if (canSteer(group) && first && all.length < size && !this.#steered.has(first.socket)) {
        this.#set(group, all.length);
      }
    }
  }

  /**
   * Those in force: connections go to the sockets that stay. Workers have let go of all that retired before, because
   * they hear of that before they hear of a change.
   */
  commit(groups: readonly SocketGroup[]): void {
    for (const group of groups) {
      if (canSteer(group)) this.#set(group, group.retiring.length > 0 ? group.sockets.length : 0);
    }
    const first = new Set(groups.map(({ sockets }) => sockets[0]?.socket));
    for (const socket of this.#steered.keys()) if (!first.has(socket)) this.#steered.delete(socket);
  }

  /** Connections go to all sockets of these groups, which another process may have steered. */
  reset(groups: readonly SocketGroup[]): void {
    for (const group of groups) {
      const [first] = group.sockets;
      if (canSteer(group) && first) this.#steer(first.fd, 0);
    }
  }

  /** As before `hold`; call when the sockets opened since are closed. */
  discard(groups: readonly SocketGroup[]): void {
    for (const group of groups) {
      if (canSteer(group)) this.#set(group, this.#before.get(group.sockets[0]?.socket ?? 0) ?? 0);
    }
  }

  #set({ sockets: [first] }: SocketGroup, stay: number): void {
    if (first === undefined || (this.#steered.get(first.socket) ?? 0) === stay) return;
    this.#steer(first.fd, stay);
    if (stay === 0) this.#steered.delete(first.socket);
    else this.#steered.set(first.socket, stay);
  }
}

const canSteer = ({ address, isFixed }: SocketGroup): boolean => address.kind === 'inet' && !isFixed;
