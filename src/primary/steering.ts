/**
 * Keeps connections off sockets that nobody is going to accept on: those that retire, and those of a change that may
 * still be refused. The kernel sends the connections of a steered group to its first sockets alone.
 */
import { allOf, type SocketGroup, transportOf } from './socket-group.js';
import type { Places } from './sockets.js';

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
  hold(groups: readonly SocketGroup[], places: Places): void {
    this.#before = new Map(this.#steered);
    for (const group of groups) {
      const all = allOf(group);
      const [first] = all;
      const grows = all.length < places[transportOf(group)];
      if (canSteer(group) && first && grows && !this.#steered.has(first.socket)) this.#set(group, all.length);
    }
  }

  /**
   * Those in force: connections go to the sockets that stay. Workers have let go of all that retired before, because
   * they hear of that before they hear of a change.
   */
  commit(groups: readonly SocketGroup[]): void {
    for (const group of groups.filter(canSteer)) this.#set(group, staysOf(group));
    const first = new Set(groups.map(({ sockets }) => sockets[0]?.socket));
    for (const socket of this.#steered.keys()) if (!first.has(socket)) this.#steered.delete(socket);
  }

  /** As if nothing was retiring; another process may have steered these groups. */
  reset(groups: readonly SocketGroup[]): void {
    for (const group of groups.filter(canSteer)) {
      const [first] = group.sockets;
      if (first === undefined) continue;
      const stay = staysOf({ ...group, retiring: [] });
      this.#steer(first.fd, stay);
      this.#note(first.socket, stay);
    }
  }

  /** As before `hold`; call when the sockets opened since are closed. */
  discard(groups: readonly SocketGroup[]): void {
    for (const group of groups.filter(canSteer)) {
      const before = this.#before.get(group.sockets[0]?.socket ?? 0);
      this.#set(group, before ?? 0);
    }
  }

  #set({ sockets: [first] }: SocketGroup, stay: number): void {
    if (first === undefined || (this.#steered.get(first.socket) ?? 0) === stay) return;
    this.#steer(first.fd, stay);
    this.#note(first.socket, stay);
  }

  #note(first: number, stay: number): void {
    if (stay === 0) this.#steered.delete(first);
    else this.#steered.set(first, stay);
  }
}

const canSteer = ({ address, isFixed }: SocketGroup): boolean => address.kind === 'inet' && !isFixed;

/**
 * How many get connections, 0: all. Datagrams are always steered where there are several sockets: the kernel's own choice
 * would be another one, and flows would change their worker whenever steering begins or ends.
 */
function staysOf(group: SocketGroup): number {
  const { sockets, retiring } = group;
  const isSteered = transportOf(group) === 'udp' ? allOf(group).length > 1 : retiring.length > 0;
  return isSteered ? sockets.length : 0;
}
