/** Fits `max_connections` to the limit of open files. */
import { native } from '../addon.js';
import type { Logger } from '../base/log.js';
import { demandOf } from '../budget/demand.js';
import { type FileFit, fitOpenFiles, shortageText } from '../budget/open-files.js';
import type { Config } from '../model/config.js';
import { StartError } from './start-error.js';

export interface Fitted {
  /** As configured. */
  readonly wanted: Config;
  /** With the limits that the machine allows. */
  readonly config: Config;
  /** Splice pipes per worker. */
  readonly pipes: number;
  readonly maxOpenFiles: number;
  readonly files: FileFit;
}

/** Raises the soft limit of open files to the hard limit, and lowers `max_connections` if that is not enough. */
export function fitToFileLimit(config: Config): Fitted {
  const { soft } = native.raiseFileLimit();
  const files = fitOpenFiles(demandOf(config), soft);
  const { connections, pipes } = files;
  const fitted = { wanted: config, pipes, maxOpenFiles: soft, files };
  if (connections === config.server.maxConnections) return { config, ...fitted };
  if (connections === 0) {
    throw new StartError(`too few open files to serve one connection: ${shortageText(files, soft)}`);
  }
  return { config: { ...config, server: { ...config.server, maxConnections: connections } }, ...fitted };
}

/** Of a configuration that is in force, unless `before` was lowered to the same number. */
export function warnOfLowered(
  { wanted, config, files, maxOpenFiles }: Fitted,
  log: Logger,
  before?: Fitted,
): void {
  const effective = config.server.maxConnections;
  const { maxConnections } = wanted.server;
  if (effective === maxConnections || effective === before?.config.server.maxConnections) return;
  log.warn(
    { max_connections: maxConnections, files_needed: files.needed, files_allowed: maxOpenFiles, effective },
    `too few open files for max_connections, which is lowered: ${shortageText(files, maxOpenFiles)}`,
  );
}
