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

/** Raises the soft limit of open files to the hard limit, and lowers numbers of sessions if that is not enough. */
export function fitToFileLimit(config: Config): Fitted {
  const { soft } = native.raiseFileLimit();
  const files = fitOpenFiles(demandOf(config), soft);
  const fitted = { wanted: config, pipes: files.pipes, maxOpenFiles: soft, files };
  const none = files.lowered.find(({ possible }) => possible === 0);
  if (none !== undefined) {
    throw new StartError(
      `too few open files to serve one ${sessions[none.key]}: ${shortageText(files, soft)}`,
    );
  }
  return { config: withLowered(config, files), ...fitted };
}

const sessions: Readonly<Record<string, string>> = {
  'server.max_connections': 'connection',
  'server.udp.max_flows': 'flow',
};

function withLowered(config: Config, { lowered, connections, flows }: FileFit): Config {
  const isLowered = (key: string) => lowered.some((each) => each.key === key);
  if (lowered.length === 0) return config;
  const { server } = config;
  const maxConnections = isLowered('server.max_connections') ? connections : server.maxConnections;
  const maxFlows = isLowered('server.udp.max_flows') ? flows : server.udp.maxFlows;
  return { ...config, server: { ...server, maxConnections, udp: { ...server.udp, maxFlows } } };
}

/** Of a configuration that is in force, unless `before` was lowered to the same numbers. */
export function warnOfLowered({ files, maxOpenFiles }: Fitted, log: Logger, before?: Fitted): void {
  for (const each of files.lowered) {
    const was = before?.files.lowered.find(({ key }) => key === each.key);
    if (was?.possible === each.possible) continue;
    const key = each.key.slice(each.key.lastIndexOf('.') + 1);
    log.warn(
      {
        [key]: each.wanted,
        files_needed: files.needed,
        files_allowed: maxOpenFiles,
        effective: each.possible,
      },
      `too few open files for ${key}, which is lowered: ${shortageText(files, maxOpenFiles)}`,
    );
  }
}
