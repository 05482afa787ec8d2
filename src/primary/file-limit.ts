/** Fits `max_connections` to the limit of open files. */
import { native } from '../addon.js';
import type { Logger } from '../base/log.js';
import type { Config } from '../model/config.js';
import { type FdDemand, fitConnections } from './fd-budget.js';
import { StartError } from './start-error.js';

export interface Fitted {
  /** As configured. */
  readonly wanted: Config;
  /** With the limits that the machine allows. */
  readonly config: Config;
  /** Splice pipes per worker. */
  readonly pipes: number;
  readonly maxOpenFiles: number;
}

/**
 * Raises the soft limit of open files to the hard limit, and lowers `max_connections` if that is not enough, with a
 * warning unless it was lowered to the same number `before`.
 */
export function fitToFileLimit(config: Config, log: Logger, before?: Fitted): Fitted {
  const { soft } = native.raiseFileLimit();
  const demand = demandOf(config);
  const { connections, needed, pipes } = fitConnections(demand, soft);
  const fitted = { wanted: config, pipes, maxOpenFiles: soft };
  if (connections === demand.connections) return { config, ...fitted };
  const fields = { max_connections: demand.connections, files_needed: needed, files_allowed: soft };
  if (connections === 0) throw new StartError(`${soft} open files are too few to serve one connection`);
  if (before?.config.server.maxConnections !== connections) {
    log.warn(
      { ...fields, effective: connections },
      'too few open files for max_connections, which is lowered',
    );
  }
  return { config: { ...config, server: { ...config.server, maxConnections: connections } }, ...fitted };
}

function demandOf({ server, listeners, upstreams, admin }: Config): FdDemand {
  const handoff = server.accept === 'handoff';
  return {
    connections: server.maxConnections,
    workers: server.workers,
    listeningSockets: listeners.length * (handoff ? 1 : server.workers),
    handoff,
    control: admin !== null,
    handlers: upstreams.some(({ handler }) => handler !== null),
  };
}
