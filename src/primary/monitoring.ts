/** The monitoring servers as a part of the daemon; a failure is a StartError. */
import { native } from '../addon.js';
import type { Control } from '../admin/control.js';
import { MonitoringServers, type OpenSocket } from '../admin/monitoring.js';
import type { Logger } from '../base/log.js';
import type { Config, MonitoringConfig } from '../model/config.js';
import type { Part, Prepared } from './part.js';
import { openInet, reasonOf } from './socket-group.js';
import { StartError } from './start-error.js';

/** With SO_REUSEPORT, so that an address can take over a port from another one of ours. */
const open: OpenSocket = ({ host, port }, ours) => {
  const text = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  try {
    const options = { size: 1, holdsPort: ours.includes(port) };
    const { sockets } = openInet({ kind: 'inet', host, port, text }, options, native);
    return sockets[0]?.fd ?? -1;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new StartError(`monitoring can not listen on ${text}: ${reasonOf(error)}`, code);
  }
};

export class MonitoringPart implements Part {
  readonly #servers: MonitoringServers;
  readonly #log: Logger;
  #config: MonitoringConfig = { metrics: null, health: null };

  constructor(control: Control, log: Logger) {
    this.#servers = new MonitoringServers(control, open);
    this.#log = log;
  }

  /** Connections closed so far to make room for newer ones. */
  get evicted(): number {
    return this.#servers.evicted;
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

const isOnEveryInterface = ({ metrics, health }: MonitoringConfig): boolean =>
  (metrics ?? health)?.host === '::';

/** The default address exposes metrics and health to every network; the operator should learn that from the log. */
function announce({ metrics, health }: MonitoringConfig, log: Logger): void {
  const fields = { metrics_port: metrics?.port, health_check_port: health?.port };
  log.info(fields, 'monitoring is served on every interface; `monitoring.address` restricts it');
}
