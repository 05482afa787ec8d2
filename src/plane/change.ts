/** What the data plane is given to put into force. */
import type { ServerConfig } from '../model/config.js';
import type { ListeningSocket, OwnAddress } from '../model/message.js';
import type { Plan } from '../model/plan.js';

/** Listening sockets; open before the first worker starts until the last one stops accepting. */
export interface Sockets {
  /**
   * Sockets of a place among the workers, 0 to `workers` - 1: its own and the shared ones; in handoff mode place 0 has
   * all of streams, for the primary. Listeners index the Plan of the same change.
   */
  of(place: number): ListeningSocket[];
  /** Idempotent. */
  close(): void;
}

/** How connections reach workers: a socket for each, or accepted by the primary. */
export type AcceptMode = ServerConfig['accept'];

/** All that is in force at once: a change is whole or not at all. */
export interface PlaneChange {
  /** Generations must ascend, also over changes that were refused. */
  readonly plan: Plan;
  readonly sockets: Sockets;
  /** Number of workers, 1 to 256. */
  readonly workers: number;
  readonly accept: AcceptMode;
  readonly logLevel: string;
  /** Asked whenever a worker prepares the Plan: servers of the primary may listen later than it is made. */
  readonly own: () => readonly OwnAddress[];
  /** Splice pipes per worker, for workers that start from now on. */
  readonly pipes: number;
  /** Handoff mode: connections that the primary accepts before it looks for room again. */
  readonly acceptsPerTurn: number;
}
