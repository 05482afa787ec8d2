/** The monitoring servers as a part of the daemon; a failure is a StartError. */
import { native } from '../addon.js';
import type { Control } from '../admin/control.js';
import { MonitoringServers, type OpenedSocket, type OpenSocket } from '../admin/monitoring.js';
import { hostPort } from '../base/address.js';
import type { Logger } from '../base/log.js';
import type { Config, ListenAddress, MonitoringConfig } from '../model/config.js';
import type { OwnAddress } from '../model/message.js';
import type { InheritedServers } from './inherited-servers.js';
import { listenError } from './listen-error.js';
import type { Part, Prepared } from './part.js';
import { openInet, type SocketGroup } from './socket-group.js';

type InetListen = Extract<ListenAddress, { kind: 'inet' }>;

/**
 * Takes an inherited socket, or opens one: with SO_REUSEPORT, so that an address can take over a port from another one of
 * ours.
 */
const opener =
  (inherited: InheritedServers): OpenSocket =>
  ({ address, names }, ours) => {
    const wanted = listenAddress(address);
    const taken = inherited.take(wanted, names);
    if (taken) return opened(taken.group);
    try {
      return opened(openInet(wanted, { size: 1, holdsPort: ours.includes(wanted.port) }, native));
    } catch (error) {
      throw listenError('monitoring', wanted, error);
    }
  };

const opened = ({ sockets, bound }: SocketGroup): OpenedSocket => ({ fd: sockets[0]?.fd ?? -1, bound });

export class MonitoringPart implements Part {
  readonly #servers: MonitoringServers;
  readonly #log: Logger;
  #config: MonitoringConfig = { metrics: null, health: null };

  constructor(control: Control, log: Logger, inherited: InheritedServers) {
    this.#servers = new MonitoringServers(control, opener(inherited));
    this.#log = log;
  }

  /** Connections closed so far to make room for newer ones. */
  get evicted(): number {
    return this.#servers.evicted;
  }

  get listensAt(): readonly OwnAddress[] {
    return this.#servers.nextAddresses.map((address) => ({ address, transport: 'tcp' }));
  }

  /** For another process. */
  get groups(): readonly { name: string; group: SocketGroup }[] {
    return this.#servers.sockets.map(({ address, fd }) => ({
      name: 'monitoring',
      group: groupOf(listenAddress(address), fd),
    }));
  }

  /** Until `begin` connections wait. */
  hold(): void {
    this.#servers.hold();
  }

  begin(): void {
    this.#servers.begin();
  }

  /** Another process goes on with the sockets. */
  release(): void {
    this.#servers.release();
  }

  async prepare({ monitoring }: Config): Promise<Prepared> {
    const prepared = await this.#servers.prepare(monitoring);
    return {
      commit: () => {
        prepared.commit();
        if (!isOnEveryInterface(this.#config) && isOnEveryInterface(monitoring))
          announce(monitoring, this.#log);
        this.#config = monitoring;
      },
      discard: prepared.discard,
    };
  }

  close(): void {
    this.#servers.close();
  }
}

function listenAddress({ host, port }: { host: string; port: number }): InetListen {
  return { kind: 'inet', host, port, text: hostPort(host, port) };
}

const groupOf = (address: InetListen, fd: number): SocketGroup => ({
  address,
  bound: address.text,
  sockets: [{ socket: native.socketNumber(fd), fd }],
  retiring: [],
  file: null,
});

const isOnEveryInterface = ({ metrics, health }: MonitoringConfig): boolean =>
  (metrics ?? health)?.host === '::';

/** The default address exposes metrics and health to every network; the operator should learn that from the log. */
function announce({ metrics, health }: MonitoringConfig, log: Logger): void {
  const fields = { metrics_port: metrics?.port, health_check_port: health?.port };
  log.info(fields, 'monitoring is served on every interface; `monitoring.address` restricts it');
}
