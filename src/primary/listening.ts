/** The listening sockets in force and those of the next configuration, as a part of the daemon. */
import { native } from '../addon.js';
import { type Clock, systemClock } from '../base/clock.js';
import type { Logger } from '../base/log.js';
import type { Config, ServerConfig } from '../model/config.js';
import type { OwnAddress } from '../model/message.js';
import type { DataPlane } from '../plane/data-plane.js';
import type { Part, Prepared } from './part.js';
import { ReceiveBuffers } from './receive-buffers.js';
import { type SocketGroup, transportOf } from './socket-group.js';
import { type InheritedGroup, ListeningSockets, type Places, type PreparedSockets } from './sockets.js';
import { type Steer, Steering } from './steering.js';

/** Time for handshakes under way on a socket that gets no new ones: a few round trips, and one SYN-ACK sent again. */
export const RETIRE_MS = 2000;

export interface ListeningParts {
  readonly steer: Steer;
  /** Those who accept on these sockets empty them for the last time and let go of them. */
  readonly release: (sockets: readonly number[]) => void;
  readonly buffers: Pick<ReceiveBuffers, 'fit'>;
  readonly clock: Clock;
}

export class Listening implements Part {
  readonly #parts: ListeningParts;
  readonly #steering: Steering;
  #current: ListeningSockets;
  #next: PreparedSockets | null = null;
  #cancelRetirement: () => void = () => {};

  constructor(sockets: ListeningSockets, parts: ListeningParts) {
    this.#current = sockets;
    this.#parts = parts;
    this.#steering = new Steering(parts.steer);
  }

  /** In force. */
  get current(): ListeningSockets {
    return this.#current;
  }

  /** In force after the commit, if something is prepared. */
  get next(): ListeningSockets {
    return this.#next?.sockets ?? this.#current;
  }

  get listensAt(): readonly OwnAddress[] {
    return this.next.groups.map(({ group }) => ({ address: group.bound, transport: transportOf(group) }));
  }

  get #groups(): SocketGroup[] {
    return this.#current.groups.map(({ group }) => group);
  }

  async prepare({ server, listeners }: Config): Promise<Prepared> {
    const places = placesOf(server);
    const receiveBuffer = server.udp.receiveBufferBytes;
    // The next sockets may go on with some that are retiring.
    this.#cancelRetirement();
    this.#steering.hold(this.#groups, places);
    try {
      const prepared = await this.#current.prepare(listeners, { places, receiveBuffer });
      this.#next = prepared;
      return { commit: () => this.#commit(prepared, receiveBuffer), discard: () => this.#discard(prepared) };
    } catch (error) {
      this.#stay();
      throw error;
    }
  }

  /** Closes no socket until what is returned is called: their descriptors are on their way to another process. */
  hold(): () => void {
    this.#cancelRetirement();
    return () => this.#retireLater();
  }

  /** Sockets of another process, too, are this one's now. */
  takeOver({ udp }: Pick<ServerConfig, 'udp'>): void {
    this.#current.isOwner = true;
    this.#steering.reset(this.#groups);
    this.#parts.buffers.fit(this.#groups, udp.receiveBufferBytes);
  }

  /** Another process goes on with the sockets. */
  release(): void {
    this.#current.isOwner = false;
  }

  /** Whether `prepare` would open or retire sockets of an address that stays. */
  hasOtherSize({ server }: Config): boolean {
    const places = placesOf(server);
    return this.#groups.some((group) => {
      const { address, isFixed, sockets } = group;
      return address.kind === 'inet' && !isFixed && sockets.length !== places[transportOf(group)];
    });
  }

  close(): void {
    this.#cancelRetirement();
    this.#current.close();
  }

  /** Only now, when the workers have taken over: before, every socket of a group has one that accepts. */
  #commit(prepared: PreparedSockets, receiveBuffer: number): void {
    this.#next = null;
    this.#current = prepared.sockets;
    this.#steering.commit(this.#groups);
    this.#parts.buffers.fit(this.#groups, receiveBuffer);
    prepared.commit();
    this.#retireLater();
  }

  #discard(prepared: PreparedSockets): void {
    this.#next = null;
    prepared.discard();
    this.#stay();
  }

  #stay(): void {
    this.#steering.discard(this.#groups);
    this.#retireLater();
  }

  #retireLater(): void {
    if (this.#groups.every(({ retiring }) => retiring.length === 0)) return;
    this.#cancelRetirement = this.#parts.clock.after(RETIRE_MS, () => this.#retire());
  }

  /** The group stays steered until the next change: workers let go a little later. */
  #retire(): void {
    const retired = this.#current.retire();
    this.#parts.release(retired.map(({ socket }) => socket));
    for (const { fd } of retired) native.closeFd(fd);
  }
}

/** Steers by the kernel, releases in the workers. */
export function listenWith(
  sockets: ListeningSockets,
  plane: Pick<DataPlane, 'release'>,
  log: Logger,
): Listening {
  return new Listening(sockets, {
    steer(fd, count, links) {
      try {
        native.steer(fd, count, links);
      } catch (error) {
        log.warn(
          { error: (error as Error).message },
          'connections can not be steered: a few may be lost now',
        );
      }
    },
    release: (numbers) => plane.release(numbers),
    buffers: new ReceiveBuffers(native.setReceiveBuffer, log),
    clock: systemClock,
  });
}

export interface FirstSockets {
  /** The demonstration takes any port where its own is in use. */
  readonly movesPorts: boolean;
  readonly inherited: readonly InheritedGroup[];
}

/**
 * Opens what is not inherited. Inherited sockets that no listener wants stay open until the commit. Rejects with a
 * StartError.
 */
export function openListeners(
  { server, listeners }: Config,
  { movesPorts, inherited }: FirstSockets,
  log: Logger,
): Promise<PreparedSockets> {
  const moved = (why: string) => log.warn(`${why}; the demonstration takes another port`);
  const places = placesOf(server);
  const before = ListeningSockets.inherited(inherited, places, native);
  const receiveBuffer = server.udp.receiveBufferBytes;
  return before.prepare(listeners, { places, receiveBuffer, asTheyAre: true, ...(movesPorts && { moved }) });
}

/** In handoff mode the primary alone accepts; datagrams are always the workers' own. */
const placesOf = ({ accept, workers }: ServerConfig): Places => ({
  tcp: accept === 'handoff' ? 1 : workers,
  udp: workers,
});
