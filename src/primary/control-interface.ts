/** The control interface as a part of the daemon: its address and token follow the configuration. */
import { native } from '../addon.js';
import type { Operations } from '../admin/control.js';
import { AdminServer } from '../admin/server.js';
import { systemClock } from '../base/clock.js';
import { type Logger, type LogLine, rateLimited } from '../base/log.js';
import { isPrivate } from '../config/validate/admin.js';
import type { AdminConfig, Config, ListenAddress } from '../model/config.js';
import type { OwnAddress } from '../model/message.js';
import type { AddressText } from '../model/session.js';
import type { InheritedServers } from './inherited-servers.js';
import { listenError } from './listen-error.js';
import type { Part, Prepared } from './part.js';
import { changeMode, closeGroup, openGroup, type SocketGroup } from './socket-group.js';
import { isSameAddress } from './sockets.js';
import { StartError } from './start-error.js';

/** Lines about requests that were refused, and about those that failed: their sender controls how many there are. */
const COMPLAINTS_PER_SECOND = 1;

export interface ControlInterfaceOptions {
  /** Called when it begins to serve. */
  readonly operations: () => Operations;
  readonly log: Logger;
  /** The demonstration: go on without it where its address is in use. */
  readonly yields: boolean;
  readonly inherited: InheritedServers;
}

type Opened = Pick<Serving, 'group' | 'bound'>;

interface Serving {
  readonly config: AdminConfig;
  /** Of the socket itself: one of the service manager, found by name, may have another one than the configuration. */
  readonly bound: ListenAddress;
  readonly group: SocketGroup;
  readonly server: AdminServer;
}

export class ControlInterface implements Part {
  readonly #options: ControlInterfaceOptions;
  #serving: Serving | null = null;
  /** Of a configuration that is prepared; null: it has none. Undefined: what serves stays. */
  #next: Opened | null | undefined = undefined;
  #evictedBefore = 0;
  #isClosed = false as boolean;
  /** Opens sockets, and serves nothing yet: connections wait. */
  #isHeld = false as boolean;

  constructor(options: ControlInterfaceOptions) {
    this.#options = options;
  }

  /** As bound; null: none. */
  get address(): AddressText | null {
    return this.#serving?.group.bound ?? null;
  }

  get listensAt(): readonly OwnAddress[] {
    const next = this.#next === undefined ? this.#serving : this.#next;
    return next === null ? [] : [{ address: next.group.bound, transport: 'tcp' }];
  }

  /** Connections closed so far to make room for newer ones. */
  get evicted(): number {
    return this.#evictedBefore + (this.#serving?.server.evicted ?? 0);
  }

  /** For another process. */
  get groups(): readonly { name: string; group: SocketGroup }[] {
    return this.#serving ? [{ name: 'admin', group: this.#serving.group }] : [];
  }

  /** Until `begin` connections wait. */
  hold(): void {
    this.#isHeld = true;
  }

  /** The socket and its file are this process's. */
  begin(): void {
    if (this.#serving) {
      const { group, server } = this.#serving;
      this.#serving = { ...this.#serving, group: { ...group, isBorrowed: false } };
      if (this.#isHeld) listen(server, group);
    }
    this.#isHeld = false;
  }

  /** Another process goes on with the socket and its file; requests under way are answered. */
  release(): void {
    if (this.#serving === null) return;
    const { group, server } = this.#serving;
    server.release();
    this.#serving = { ...this.#serving, group: { ...group, isBorrowed: true } };
  }

  async prepare({ admin }: Config): Promise<Prepared> {
    const before = this.#serving;
    if (admin !== null && before !== null && isSameAddress(before.config.address, admin.address)) {
      refuseOpen(admin, before.bound);
      return { commit: () => this.#keep(before, admin), discard: () => {} };
    }
    const opened = admin && (await this.#open(admin));
    this.#next = opened;
    return {
      commit: () => {
        this.#next = undefined;
        this.#replace(admin && opened && this.#serve(admin, opened));
      },
      discard: () => {
        this.#next = undefined;
        if (opened !== null) closeGroup(opened.group, native);
      },
    };
  }

  /** Requests under way are not answered any more. */
  close(): void {
    this.#isClosed = true;
    this.#serving?.server.close();
    if (this.#serving) removeFile(this.#serving.group);
    this.#serving = null;
  }

  /** Null: the demonstration goes on without it. */
  async #open(admin: AdminConfig): Promise<Opened | null> {
    const { yields, log, inherited } = this.#options;
    const { address } = admin;
    const taken = inherited.take(address, ['admin']);
    if (taken) {
      refuseOpen(admin, taken.group.address);
      return { group: { ...taken.group, address }, bound: taken.group.address };
    }
    // Another one of ours may have the port, with another host.
    const own = this.#serving?.config.address;
    const holdsPort = own?.kind === 'inet' && address.kind === 'inet' && own.port === address.port;
    try {
      return { group: await openGroup(address, { size: 1, holdsPort }, native), bound: address };
    } catch (error) {
      const refusal = listenError('the control interface', address, error);
      if (!yields || refusal.code !== 'EADDRINUSE') throw refusal;
      log.warn(`${refusal.message}; the demonstration goes on without it`);
      return null;
    }
  }

  #serve(config: AdminConfig, { group, bound }: Opened): Serving {
    const { operations, log } = this.#options;
    const limited = (write: LogLine) => rateLimited(write, COMPLAINTS_PER_SECOND, systemClock.nowMs);
    const server = new AdminServer({
      rules: rulesOf(config, bound),
      operations: operations(),
      refused: limited((fields, message) => log.warn(fields, message)),
      failed: limited((fields, message) => log.error(fields, message)),
    });
    if (!this.#isHeld) listen(server, group);
    return { config, bound, group, server };
  }

  /** The request that asked for this change is still answered. */
  #replace(next: Serving | null): void {
    const before = this.#serving;
    this.#serving = next;
    if (before !== null) {
      this.#evictedBefore += before.server.evicted;
      before.server.release();
      removeFile(before.group);
    }
    if (this.#isClosed) this.close();
  }

  /** The address stays; token and mode may be others. */
  #keep({ group, bound, server }: Serving, config: AdminConfig): void {
    server.rules = rulesOf(config, bound);
    if (config.address.kind === 'unix') changeMode(group, config.address.mode);
    this.#serving = { config, bound, group, server };
  }
}

const listen = (server: AdminServer, { sockets }: SocketGroup): void => server.listen(sockets[0]?.fd ?? -1);

const rulesOf = ({ token, hosts }: AdminConfig, { kind }: ListenAddress) => ({ kind, token, hosts });

/** The configuration was checked with its own address. */
function refuseOpen({ token }: AdminConfig, bound: ListenAddress): void {
  if (token !== '' || isPrivate(bound)) return;
  const instead = 'set `admin.token`, or let the service manager open another one';
  throw new StartError(
    `the inherited socket of the control interface, ${bound.text}, is open to other machines: ${instead}`,
  );
}

/** The server closes the socket itself. */
const removeFile = (group: SocketGroup): void => closeGroup({ ...group, sockets: [] }, native);
