/**
 * Keeps connections off sockets that nobody is going to accept on: those that retire, and those of a change that may
 * still be refused. The kernel sends the connections of a steered group to its first sockets alone.
 */
import { allOf, type OpenSocket, type SocketGroup, transportOf } from './socket-group.js';
import type { Places } from './sockets.js';

/** How many sockets of a group get connections, and whether packets of links go by the link. */
interface Course {
  readonly sockets: number;
  readonly links: boolean;
}

/** Groups of one address by the number of their first socket, which never leaves them. */
type Steered = Map<number, Course>;

/** New connections of the group of `fd` go to its first `sockets`; 0: to all. Must not throw. */
export type Steer = (fd: number, sockets: number, links: boolean) => void;

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
      this.#apply(first, courseOf(group, stay));
    }
  }

  /** As before `hold`; call when the sockets opened since are closed. */
  discard(groups: readonly SocketGroup[]): void {
    for (const group of groups.filter(canSteer)) {
      const before = this.#before.get(group.sockets[0]?.socket ?? 0);
      this.#set(group, before?.sockets ?? 0);
    }
  }

  #set(group: SocketGroup, stay: number): void {
    const [first] = group.sockets;
    if (first === undefined) return;
    const course = courseOf(group, stay);
    const before = this.#steered.get(first.socket) ?? NOT_STEERED;
    if (before.sockets !== course.sockets || before.links !== course.links) this.#apply(first, course);
  }

  #apply({ fd, socket }: OpenSocket, course: Course): void {
    this.#steer(fd, course.sockets, course.links);
    if (course.sockets === 0) this.#steered.delete(socket);
    else this.#steered.set(socket, course);
  }
}

const NOT_STEERED: Course = { sockets: 0, links: false };

const courseOf = ({ hasLinks = false }: SocketGroup, sockets: number): Course => ({
  sockets,
  links: sockets > 0 && hasLinks,
});

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
