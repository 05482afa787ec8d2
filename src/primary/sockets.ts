/**
 * The listening sockets: opened and closed here, accepted on by the workers (or by the acceptor). They outlive workers,
 * so that a worker's death loses no connection waiting in the backlog; and they belong to addresses, not to names, so
 * that a listener that is renamed or moved in the file keeps them.
 */
import type { ListenAddress, ListenerConfig } from '../model/config.js';
import type { ListeningSocket } from '../model/message.js';
import type { AddressText } from '../model/session.js';
import type { Sockets } from '../plane/change.js';
import { listenError } from './listen-error.js';
import type { Prepared } from './part.js';
import {
  allOf,
  boundPort,
  changeMode,
  closeGroup,
  hasItsFile,
  type OpenOptions,
  type OpenSocket,
  openGroup,
  resizedGroup,
  type SocketCalls,
  type SocketGroup,
} from './socket-group.js';

/** Group of a listener, by the listener's index in the configuration. */
interface Listening {
  readonly name: string;
  readonly group: SocketGroup;
}

/** Listening sockets that this process has not opened. */
export interface InheritedGroup extends Listening {
  /** What they were opened for. */
  readonly use: 'listener' | 'monitoring' | 'admin';
  /** They are for what has this name, whatever its address. */
  readonly isNamed: boolean;
}

export interface SocketsOptions {
  /** How many places share a group: the workers, or in handoff mode 1, the primary. */
  readonly places: number;
  /** The demonstration: take any port where the configured one is in use. Called with why. */
  readonly moved?: (why: string) => void;
  /**
   * Groups keep their number of sockets. Those opened beside inherited ones would get connections at once, and lose them
   * if the upgrade is called off.
   */
  readonly asTheyAre?: boolean;
}

export interface PreparedSockets extends Prepared {
  /** In force after `commit`. */
  readonly sockets: ListeningSockets;
}

export class ListeningSockets implements Sockets {
  #listening: readonly Listening[];
  readonly #places: number;
  readonly #calls: SocketCalls;
  #isClosed = false as boolean;

  private constructor(listening: readonly Listening[], places: number, calls: SocketCalls) {
    this.#listening = listening;
    this.#places = places;
    this.#calls = calls;
  }

  /** Sockets that this process has not opened, as if they were in force: `prepare` keeps those that are wanted. */
  static inherited(groups: readonly InheritedGroup[], places: number, calls: SocketCalls): ListeningSockets {
    const listening = groups.filter(({ use }) => use === 'listener');
    return new ListeningSockets(listening, places, calls);
  }

  /** Opens all listeners; on failure rejects with a StartError and leaves none open. */
  static async open(
    configs: readonly ListenerConfig[],
    options: SocketsOptions,
    calls: SocketCalls,
  ): Promise<ListeningSockets> {
    return (await new ListeningSockets([], options.places, calls).prepare(configs, options)).sockets;
  }

  /**
   * The sockets of another configuration: kept where the address stays, else opened. Rejects with a StartError and
   * leaves none open that was not. Until `commit`, these sockets are in force and complete.
   */
  async prepare(configs: readonly ListenerConfig[], options: SocketsOptions): Promise<PreparedSockets> {
    const { places } = options;
    const kept = keptGroups(configs, this.#listening);
    const listening: Listening[] = [];
    try {
      for (const [index, config] of configs.entries()) {
        const group = await this.#groupFor(config, kept[index], options);
        listening.push({ name: config.name, group: { ...group, address: config.address } });
      }
    } catch (error) {
      closeBeside(listening, this.#listening, this.#calls);
      throw error;
    }
    return this.#prepared(new ListeningSockets(listening, places, this.#calls), kept);
  }

  /** For another process, with the names of their listeners. */
  get groups(): readonly Listening[] {
    return this.#listening;
  }

  /** Whether socket files are removed at close: not if another process goes on with them, or owns them still. */
  set isOwner(isOwner: boolean) {
    this.#listening = this.#listening.map(({ name, group }) => ({
      name,
      group: { ...group, isBorrowed: !isOwner },
    }));
  }

  get addresses(): { name: string; address: AddressText }[] {
    return this.#listening.map(({ name, group }) => ({ name, address: group.bound }));
  }

  /**
   * Sockets that a place accepts on. A group that has as many sockets as there are places gives each one; with more,
   * some places have several, and with fewer they share. Retiring sockets are spread over the places.
   */
  of(place: number): ListeningSocket[] {
    return this.#listening.flatMap(({ group }, listener) => {
      const all = allOf(group);
      const own =
        all.length < this.#places
          ? all.filter((_, index) => index === place % all.length)
          : all.filter((_, index) => index % this.#places === place);
      return own.map((socket) => ({ ...socket, transport: 'tcp', listener }));
    });
  }

  /** Takes the retiring sockets out and returns them; the caller closes them. */
  retire(): OpenSocket[] {
    const retired = this.#listening.flatMap(({ group }) => group.retiring);
    this.#listening = this.#listening.map(({ name, group }) => ({ name, group: { ...group, retiring: [] } }));
    return retired;
  }

  /** Idempotent. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const { group } of this.#listening) closeGroup(group, this.#calls);
  }

  #prepared(next: ListeningSockets, kept: readonly (SocketGroup | undefined)[]): PreparedSockets {
    return {
      sockets: next,
      commit: () => {
        next.#takeModes(kept);
        closeBeside(this.#listening, next.#listening, this.#calls);
      },
      discard: () => closeBeside(next.#listening, this.#listening, this.#calls),
    };
  }

  #takeModes(kept: readonly (SocketGroup | undefined)[]): void {
    for (const [index, { group }] of this.#listening.entries()) {
      const before = kept[index]?.address;
      const { address } = group;
      if (before?.kind === 'unix' && address.kind === 'unix' && before.mode !== address.mode) {
        changeMode(group, address.mode);
      }
    }
  }

  async #groupFor(
    { name, address }: ListenerConfig,
    kept: SocketGroup | undefined,
    { places, moved, asTheyAre }: SocketsOptions,
  ): Promise<SocketGroup> {
    const options: OpenOptions = { size: places, holdsPort: this.#holdsPort(address) };
    try {
      if (kept) return asTheyAre ? kept : resizedGroup(kept, places, this.#calls);
      return await openGroup(address, options, this.#calls);
    } catch (error) {
      const refusal = listenError(`listener ${name}`, address, error);
      if (refusal.code !== 'EADDRINUSE' || !moved || address.kind === 'unix') throw refusal;
      moved(refusal.message);
      return openGroup({ ...address, port: 0 }, options, this.#calls);
    }
  }

  #holdsPort(address: ListenAddress): boolean {
    return address.kind === 'inet' && this.#listening.some(({ group }) => boundPort(group) === address.port);
  }
}

/** Closes the sockets of `these` that `those` do not have. */
function closeBeside(these: readonly Listening[], those: readonly Listening[], calls: SocketCalls): void {
  const keep = new Set(those.flatMap(({ group }) => allOf(group).map(({ socket }) => socket)));
  for (const { group } of these) closeGroup(group, calls, keep);
}

/** For each listener the open group that it goes on with, if there is one. */
function keptGroups(
  configs: readonly ListenerConfig[],
  current: readonly Listening[],
): (SocketGroup | undefined)[] {
  const free = new Set(current.filter(({ group }) => hasItsFile(group)));
  const kept = configs.map((): SocketGroup | undefined => undefined);
  for (const rule of rules) {
    for (const [index, config] of configs.entries()) {
      const found = kept[index] ? undefined : [...free].find((each) => rule(config, each));
      if (found === undefined) continue;
      kept[index] = found.group;
      free.delete(found);
    }
  }
  return kept;
}

/** When a listener goes on with a group, the surest rule first. A port 0 stays the port that was chosen. */
const rules: readonly ((config: ListenerConfig, each: Listening | InheritedGroup) => boolean)[] = [
  ({ name, address }, each) => each.name === name && isSameAddress(address, each.group.address),
  ({ name, address }, each) =>
    'isNamed' in each && each.isNamed && each.name === name && each.group.address.kind === address.kind,
  ({ address }, each) => isSameAddress(address, each.group.address),
  ({ address }, { group }) =>
    address.kind === 'inet' &&
    group.address.kind === 'inet' &&
    isSameAddress(address, { ...group.address, port: boundPort(group) ?? 0 }),
];

export function isSameAddress(a: ListenAddress, b: ListenAddress): boolean {
  if (a.kind === 'unix') return b.kind === 'unix' && a.path === b.path;
  if (b.kind === 'unix') return false;
  return a.host === b.host && a.port === b.port && Boolean(a.ipv6Only) === Boolean(b.ipv6Only);
}
