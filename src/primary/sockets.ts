/**
 * The listening sockets: opened and closed here, accepted on by the workers (or by the acceptor). They outlive workers,
 * so that a worker's death loses no connection waiting in the backlog; and they belong to addresses, not to names, so
 * that a listener that is renamed or moved in the file keeps them.
 */
import type { ListenAddress, ListenerConfig } from '../model/config.js';
import type { ListeningAddress } from '../model/listening-address.js';
import type { ListeningSocket } from '../model/message.js';
import type { Transport } from '../model/protocol.js';
import { socketTransportsOf } from '../model/transports.js';
import type { Sockets } from '../plane/change.js';
import { listenError } from './listen-error.js';
import type { Prepared } from './part.js';
import {
  allOf,
  boundPort,
  changeMode,
  closeGroup,
  hasItsFile,
  type OpenSocket,
  openGroup,
  resizedGroup,
  type SocketCalls,
  type SocketGroup,
  transportOf,
} from './socket-group.js';
import { StartError } from './start-error.js';

/** One group of a listener, which has two when it takes streams and datagrams. */
interface Listening {
  readonly name: string;
  readonly group: SocketGroup;
  /** Index of the listener in the configuration. */
  readonly listener: number;
  /** `transport: kcp`. */
  readonly isForLinks?: boolean;
}

/** Listening sockets that this process has not opened. */
export interface InheritedGroup extends Omit<Listening, 'listener'> {
  /** What they were opened for. */
  readonly use: 'listener' | 'monitoring' | 'admin';
  /** They are for what has this name, whatever its address. */
  readonly isNamed: boolean;
}

export interface SocketsOptions {
  readonly places: Places;
  /** Of each datagram socket, in bytes; 0, the default: the system's. */
  readonly receiveBuffer?: number;
  /** The demonstration: take any port where the configured one is in use. Called with why. */
  readonly moved?: (why: string) => void;
  /**
   * Groups keep their number of sockets. Those opened beside inherited ones would get connections at once, and lose them
   * if the upgrade is called off.
   */
  readonly asTheyAre?: boolean;
}

/** How many share a group: the workers, or, for streams in handoff mode, 1, the primary. */
export type Places = Readonly<Record<Transport, number>>;

export interface PreparedSockets extends Prepared {
  /** In force after `commit`. */
  readonly sockets: ListeningSockets;
}

export class ListeningSockets implements Sockets {
  #listening: readonly Listening[];
  readonly #places: Places;
  readonly #calls: SocketCalls;
  #isClosed = false as boolean;

  private constructor(listening: readonly Listening[], places: Places, calls: SocketCalls) {
    this.#listening = listening;
    this.#places = places;
    this.#calls = calls;
  }

  /** Sockets that this process has not opened, as if they were in force: `prepare` keeps those that are wanted. */
  static inherited(groups: readonly InheritedGroup[], places: Places, calls: SocketCalls): ListeningSockets {
    const listening = groups
      .filter(({ use }) => use === 'listener')
      .map((each) => ({ ...each, listener: -1 }));
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
    const wanted = configs.flatMap(wantedOf);
    const kept = keptGroups(wanted, this.#listening);
    const listening: Listening[] = [];
    try {
      for (const [listener] of configs.entries()) {
        const own = wanted.filter((each) => each.listener === listener);
        const groups = own.map((each) => kept[wanted.indexOf(each)]);
        listening.push(...(await this.#open(own, groups, options)));
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
    this.#listening = this.#listening.map((each) => ({
      ...each,
      group: { ...each.group, isBorrowed: !isOwner },
    }));
  }

  /** One for each listener. */
  get addresses(): ListeningAddress[] {
    const groups = new Map<number, Listening[]>();
    for (const each of this.#listening)
      groups.set(each.listener, [...(groups.get(each.listener) ?? []), each]);
    return [...groups.values()].map(addressOf);
  }

  /**
   * Sockets that a place accepts on. A group that has as many sockets as there are places gives each one; with more,
   * some places have several. With fewer they share those for streams, and some have none for datagrams: those of one
   * client must reach one worker. Retiring sockets are spread over the places.
   */
  of(place: number): ListeningSocket[] {
    return this.#listening.flatMap(({ group, listener }) => {
      const all = allOf(group);
      const transport = transportOf(group);
      const places = this.#places[transport];
      const isShared = transport === 'tcp' && all.length < places;
      const own = isShared
        ? all.filter((_, index) => index === place % all.length)
        : all.filter((_, index) => index % places === place);
      return own.map((socket) => ({ ...socket, listener, transport }));
    });
  }

  /** Takes the retiring sockets out and returns them; the caller closes them. */
  retire(): OpenSocket[] {
    const retired = this.#listening.flatMap(({ group }) => group.retiring);
    this.#listening = this.#listening.map((each) => ({ ...each, group: { ...each.group, retiring: [] } }));
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

  /** The groups of one listener; on failure those are open that were. `kept`: of each, if it goes on with one. */
  async #open(
    wanted: readonly Wanted[],
    kept: readonly (SocketGroup | undefined)[],
    options: SocketsOptions,
  ): Promise<Listening[]> {
    const isChosen = wanted.length > 1 && kept.every((each) => each === undefined) && isAnyPort(wanted);
    for (let left = isChosen ? PORTS_TRIED : 1; ; left -= 1) {
      try {
        return await this.#openOnce(wanted, kept, options);
      } catch (error) {
        if (left === 1 || (error as StartError).code !== 'EADDRINUSE') throw error;
      }
    }
  }

  async #openOnce(
    wanted: readonly Wanted[],
    kept: readonly (SocketGroup | undefined)[],
    options: SocketsOptions,
  ): Promise<Listening[]> {
    const opened: Listening[] = [];
    try {
      for (const [index, each] of wanted.entries()) {
        const { name, listener, isForLinks } = each;
        const address = atPortOf(opened[0]?.group, each.address);
        const group = await this.#groupFor({ ...each, address }, kept[index], options);
        const { hasLinks } = each;
        opened.push({ name, listener, group: { ...group, address: each.address, hasLinks }, isForLinks });
      }
      return opened;
    } catch (error) {
      closeBeside(opened, this.#listening, this.#calls);
      throw error;
    }
  }

  async #groupFor(
    { name, address, transport }: Wanted,
    kept: SocketGroup | undefined,
    { places, receiveBuffer = 0, moved, asTheyAre }: SocketsOptions,
  ): Promise<SocketGroup> {
    const size = places[transport];
    const options = { transport, size, receiveBuffer, holdsPort: this.#holdsPort(address, transport) };
    try {
      if (kept) return asTheyAre ? kept : resizedGroup(kept, options, this.#calls);
      return await openGroup(address, options, this.#calls);
    } catch (error) {
      const refusal = listenError(`listener ${name}`, address, error, transport);
      if (refusal.code !== 'EADDRINUSE' || !moved || address.kind === 'unix')
        throw new StartError(refusal.message, refusal.code, [], name);
      moved(refusal.message);
      return openGroup({ ...address, port: 0 }, options, this.#calls);
    }
  }

  #holdsPort(address: ListenAddress, transport: Transport): boolean {
    return (
      address.kind === 'inet' &&
      this.#listening.some(
        ({ group }) => transportOf(group) === transport && boundPort(group) === address.port,
      )
    );
  }
}

/** A group that a listener is to have. */
interface Wanted {
  readonly name: string;
  readonly address: ListenAddress;
  readonly transport: Transport;
  readonly listener: number;
  readonly isForLinks: boolean;
  readonly hasLinks: boolean;
}

const wantedOf = (config: ListenerConfig, listener: number): Wanted[] =>
  socketTransportsOf(config).map((transport) => ({
    name: config.name,
    address: config.address,
    transport,
    listener,
    isForLinks: config.transport === 'kcp',
    hasLinks: transport === 'udp' && config.kcp !== null,
  }));

const isAnyPort = ([first]: readonly Wanted[]): boolean =>
  first?.address.kind === 'inet' && first.address.port === 0;

/** Ports that the system chooses for streams, of which one is free for datagrams, too. */
const PORTS_TRIED = 8;

/** Port 0 is the port that the listener's streams have. */
const atPortOf = (streams: SocketGroup | undefined, address: ListenAddress): ListenAddress =>
  streams !== undefined && address.kind === 'inet' && address.port === 0
    ? { ...address, port: boundPort(streams) ?? 0 }
    : address;

function addressOf(groups: readonly Listening[]): ListeningAddress {
  const [{ name, group, isForLinks }] = groups as [Listening];
  if (isForLinks) return { name, address: group.bound, transport: 'kcp' };
  const transport = groups.length > 1 ? 'tcp+udp' : transportOf(group);
  return { name, address: group.bound, transport };
}

/** Closes the sockets of `these` that `those` do not have. */
function closeBeside(these: readonly Listening[], those: readonly Listening[], calls: SocketCalls): void {
  const keep = new Set(those.flatMap(({ group }) => allOf(group).map(({ socket }) => socket)));
  for (const { group } of these) closeGroup(group, calls, keep);
}

/** For each wanted group the open one that it goes on with, if there is one. */
function keptGroups(wanted: readonly Wanted[], current: readonly Listening[]): (SocketGroup | undefined)[] {
  const free = new Set(current.filter(({ group }) => hasItsFile(group)));
  const kept = wanted.map((): SocketGroup | undefined => undefined);
  for (const rule of rules) {
    for (const [index, each] of wanted.entries()) {
      const found = kept[index]
        ? undefined
        : [...free].find((open) => transportOf(open.group) === each.transport && rule(each, open));
      if (found === undefined) continue;
      kept[index] = found.group;
      free.delete(found);
    }
  }
  return kept;
}

/** When a listener goes on with a group of the transport, the surest rule first. A port 0 stays the port that was chosen. */
const rules: readonly ((wanted: Wanted, each: Listening | InheritedGroup) => boolean)[] = [
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
