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
  /** For `max_connections` as configured. */
  readonly filesNeeded: number;
}

/** Raises the soft limit of open files to the hard limit, and lowers `max_connections` if that is not enough. */
export function fitToFileLimit(config: Config): Fitted {
  const { soft } = native.raiseFileLimit();
  const demand = demandOf(config);
  const { connections, needed, pipes } = fitConnections(demand, soft);
  const fitted = { wanted: config, pipes, maxOpenFiles: soft, filesNeeded: needed };
  if (connections === demand.connections) return { config, ...fitted };
  if (connections === 0) throw new StartError(`${soft} open files are too few to serve one connection`);
  return { config: { ...config, server: { ...config.server, maxConnections: connections } }, ...fitted };
}

/** Of a configuration that is in force, unless `before` was lowered to the same number. */
export function warnOfLowered({ wanted, config, ...limits }: Fitted, log: Logger, before?: Fitted): void {
  const effective = config.server.maxConnections;
  const { maxConnections } = wanted.server;
  if (effective === maxConnections || effective === before?.config.server.maxConnections) return;
  const { filesNeeded: files_needed, maxOpenFiles: files_allowed } = limits;
  log.warn(
    { max_connections: maxConnections, files_needed, files_allowed, effective },
    'too few open files for max_connections, which is lowered',
  );
}

/** Whether a session may end in the tarpit. */
function usesTarpit({ listeners, protocols, routes }: Config): boolean {
  const targets = [
    ...routes.map(({ to }) => to),
    ...protocols.map(({ target }) => target),
    ...listeners.flatMap(({ onUnknown, onSilence }) => [onUnknown, onSilence?.to]),
  ];
  return targets.some((target) => target?.kind === 'end' && target.closing === 'tarpit');
}

function demandOf(config: Config): FdDemand {
  const { server, listeners, upstreams, admin } = config;
  const handoff = server.accept === 'handoff';
  return {
    connections: server.maxConnections,
    workers: server.workers,
    listeningSockets: listeners.length * (handoff ? 1 : server.workers),
    handoff,
    control: admin !== null,
    warm: upstreams.reduce((all, { options, endpoints }) => all + options.pool.warm * endpoints.length, 0),
    tarpit: usesTarpit(config) ? server.tarpitMax : 0,
    checked: upstreams.reduce(
      (sum, { options, endpoints }) => sum + (options.health_check === undefined ? 0 : endpoints.length),
      0,
    ),
    handlers: upstreams.some(({ handler }) => handler !== null),
  };
}
