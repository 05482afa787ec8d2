/** The daemon's part in an upgrade in place, on both sides: what it takes from the process before it, and gives to the next. */
import { native } from '../addon.js';
import type { Logger } from '../base/log.js';
import type { InheritedTotals } from '../metrics/inherited.js';
import type { ServerConfig } from '../model/config.js';
import type { NamedRow } from '../model/named-row.js';
import type { Membership } from './cluster.js';
import type { InheritedServers } from './inherited-servers.js';
import type { Listening } from './listening.js';
import type { Reconfiguration } from './reconfiguration.js';
import { type SocketGroup, transportOf } from './socket-group.js';
import type { InheritedGroup, PreparedSockets } from './sockets.js';
import { StartError } from './start-error.js';
import type { TotalsSink } from './upgrade/predecessor.js';
import type { Estate } from './upgrade/successor.js';

/** A server whose socket passes from one process to the next. */
export interface HandedServer {
  readonly groups: readonly { readonly name: string; readonly group: SocketGroup }[];
  /** Until `begin` connections wait. */
  hold(): void;
  /** The sockets are this process's. */
  begin(): void;
  /** The sockets are another process's; requests under way are answered. */
  release(): void;
}

export interface HandoverParts {
  readonly version: string;
  readonly log: Logger;
  /** Totals of the process before this one. */
  readonly predecessor: InheritedTotals | null;
  /** What others have opened, of which `sockets` and `servers` take what they want. */
  readonly inherited: readonly InheritedGroup[];
  readonly sockets: PreparedSockets;
  readonly servers: InheritedServers;
  readonly listening: Listening;
  /** Servers of the primary. */
  readonly inside: readonly { readonly use: 'monitoring' | 'admin'; readonly server: HandedServer }[];
  /** What only the process does that has the sockets. */
  readonly owned: readonly { begin(): void; release(): void }[];
  /** As which node of a cluster the next process goes on. */
  membership(): Membership;
  readonly reconfiguration: () => Reconfiguration;
  /** No configuration changes until what it resolves with is called. */
  hold(why: string): Promise<() => void>;
  /** Rows of counters that have changed since the last call. */
  changes(): NamedRow[];
}

export class Handover {
  readonly #parts: HandoverParts;
  #hasGivenWay = false as boolean;
  /** The process before this one has ended, with its links. */
  #isAlone = true as boolean;
  /** The next process may read from the sockets, too. */
  #isKeeping = false as boolean;

  constructor(parts: HandoverParts) {
    this.#parts = parts;
  }

  /** Follows the totals of the process before this one; null: there is none. */
  get totals(): TotalsSink | null {
    return this.#parts.predecessor;
  }

  /** Accepts on all sockets in all workers, or in none: rejects with a StartError. */
  async accept(): Promise<void> {
    const changed = await this.#parts.reconfiguration().override((overrides) => overrides);
    if (changed.result === 'refused') throw new StartError(changed.problems[0]?.message ?? 'refused');
  }

  /** Keeps listeners and sockets as they are until what it resolves with is called; changes are refused with `why`. */
  async keepSockets(why: string): Promise<() => void> {
    const { hold, reconfiguration, listening } = this.#parts;
    const release = await hold(why);
    await reconfiguration().settled();
    const resume = listening.hold();
    this.#isKeeping = true;
    this.#allowResets();
    return () => {
      this.#isKeeping = this.#hasGivenWay;
      this.#allowResets();
      resume();
      release();
    };
  }

  /** Nothing is served until `takeOver`. Links of the process before this one live until `outlived`. */
  hold(): void {
    this.#isAlone = false;
    this.#allowResets();
    for (const { server } of this.#parts.inside) server.hold();
  }

  /** The sockets are this process's: those that nothing wants are closed, and monitoring is served. */
  takeOver(): void {
    const { sockets, servers, listening, inside, owned, log, reconfiguration } = this.#parts;
    for (const { name, group } of this.#unused())
      log.warn(
        { name, address: group.bound, transport: transportOf(group) },
        'an inherited socket is not configured and is closed',
      );
    sockets.commit();
    servers.closeRest(native);
    listening.takeOver(reconfiguration().fitted.config.server);
    for (const { server } of inside) server.begin();
    for (const each of owned) each.begin();
    this.#resize();
  }

  /** The process before this one has ended, with its links. */
  outlived(): void {
    this.#isAlone = true;
    this.#allowResets();
  }

  /** A link that is unknown here may be another process's. */
  #allowResets(): void {
    native.allowKcpResets(this.#isAlone && !this.#isKeeping);
  }

  /** What the next process would go on with. */
  get estate(): Estate {
    const { version, listening, inside, changes, membership } = this.#parts;
    const groups = [
      ...listening.current.groups.map((each) => ({ ...each, use: 'listener' as const })),
      ...inside.flatMap(({ use, server }) => server.groups.map((each) => ({ ...each, use }))),
    ];
    return { version, groups, membership: membership(), totals: changes };
  }

  /** The next process has the sockets: here only open sessions are left. */
  giveWay(): void {
    this.#hasGivenWay = true;
    this.#parts.listening.release();
    for (const { server } of this.#parts.inside) server.release();
    for (const each of this.#parts.owned) each.release();
  }

  /** Whether the next process has the sockets. */
  get hasGivenWay(): boolean {
    return this.#hasGivenWay;
  }

  /** Nobody turns away for want of readiness once the next process serves. */
  timesOf(server: ServerConfig): ServerConfig {
    return this.#hasGivenWay ? { ...server, drainDelayMs: 0 } : server;
  }

  /** Inherited groups may have been made for another number of workers. */
  #resize(): void {
    const { reconfiguration, listening, predecessor } = this.#parts;
    const { wanted } = reconfiguration().fitted;
    if (predecessor && listening.hasOtherSize(wanted)) void reconfiguration().change(wanted);
  }

  #unused(): InheritedGroup[] {
    const { inherited, servers, listening } = this.#parts;
    const wanted = new Set(
      listening.current.groups.flatMap(({ group }) => group.sockets.map(({ socket }) => socket)),
    );
    const listeners = inherited.filter(({ use }) => use === 'listener');
    const isWanted = ({ group }: InheritedGroup) => group.sockets.some(({ socket }) => wanted.has(socket));
    return [...listeners.filter((each) => !isWanted(each)), ...servers.rest];
  }
}
