/** The listening sockets in force and those of the next configuration, as a part of the daemon. */
import { native } from '../addon.js';
import type { Clock } from '../base/clock.js';
import { systemClock } from '../base/clock.js';
import type { Logger } from '../base/log.js';
import type { Config, ServerConfig } from '../model/config.js';
import type { Part, Prepared } from './part.js';
import { type InheritedGroup, ListeningSockets, type PreparedSockets, type Steering } from './sockets.js';

/** Time for handshakes under way on a socket that gets no new ones: a few round trips, and one SYN-ACK sent again. */
export const RETIRE_MS = 2000;

export interface Retiring {
  /** Sends new connections of a group to its first sockets. */
  steer(steering: Steering): void;
  /** Workers empty these sockets for the last time and let go of them. */
  release(sockets: readonly number[]): void;
}

export class Listening implements Part {
  readonly #retiring: Retiring;
  readonly #clock: Clock;
  #current: ListeningSockets;
  #next: PreparedSockets | null = null;
  #cancelRetirement: () => void = () => {};

  constructor(sockets: ListeningSockets, retiring: Retiring, clock: Clock = systemClock) {
    this.#current = sockets;
    this.#retiring = retiring;
    this.#clock = clock;
  }

  /** In force. */
  get current(): ListeningSockets {
    return this.#current;
  }

  /** In force after the commit, if something is prepared. */
  get next(): ListeningSockets {
    return this.#next?.sockets ?? this.#current;
  }

  async prepare({ server, listeners }: Config): Promise<Prepared> {
    // The next sockets may go on with some that are retiring.
    this.#cancelRetirement();
    try {
      const prepared = await this.#current.prepare(listeners, { places: placesOf(server) });
      this.#next = prepared;
      return { commit: () => this.#commit(prepared), discard: () => this.#discard(prepared) };
    } catch (error) {
      this.#retireLater();
      throw error;
    }
  }

  close(): void {
    this.#cancelRetirement();
    this.#current.close();
  }

  #commit(prepared: PreparedSockets): void {
    const before = this.#current;
    this.#next = null;
    this.#current = prepared.sockets;
    this.#steer(before.steering, this.#current.steering);
    prepared.commit();
    this.#retireLater();
  }

  #discard(prepared: PreparedSockets): void {
    this.#next = null;
    prepared.discard();
    this.#retireLater();
  }

  /** Only after the workers have taken over: until then every socket of a group has one that accepts. */
  #steer(before: readonly Steering[], after: readonly Steering[]): void {
    for (const steering of after) this.#retiring.steer(steering);
    const steered = new Set(after.map(({ fd }) => fd));
    for (const { fd } of before) if (!steered.has(fd)) this.#retiring.steer({ fd, stay: 0 });
  }

  #retireLater(): void {
    if (this.#current.steering.length === 0) return;
    this.#cancelRetirement = this.#clock.after(RETIRE_MS, () => this.#retire());
  }

  #retire(): void {
    const steered = this.#current.steering;
    const retired = this.#current.retire();
    this.#retiring.release(retired.map(({ socket }) => socket));
    for (const { fd } of retired) native.closeFd(fd);
    for (const { fd } of steered) this.#retiring.steer({ fd, stay: 0 });
  }
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
  return before.prepare(listeners, { places, asTheyAre: true, ...(movesPorts && { moved }) });
}

/** In handoff mode the primary alone accepts. */
const placesOf = ({ accept, workers }: ServerConfig): number => (accept === 'handoff' ? 1 : workers);
