/**
 * Logs when an endpoint becomes unreachable or reachable. Sessions retried on another endpoint end well, so only this
 * line reports a dead endpoint. Each worker reports its own sessions' results. Keyed by endpoint id.
 */
import type { LogLine } from '../base/log.js';

export interface EndpointWatch {
  failed(id: number, names: EndpointNames, error: string): void;
  answered(id: number, names: EndpointNames): void;
  /** Drops the state of all other endpoints. */
  keep(ids: ReadonlySet<number>): void;
  /** Whether any endpoint is down; saves the look-up for most sessions. */
  readonly anyDown: boolean;
}

/** Names for the log. */
export interface EndpointNames {
  readonly upstream: string;
  readonly endpoint: string;
}

export interface WatchLog {
  readonly warn: LogLine;
  readonly info: LogLine;
}

export function createEndpointWatch(log: WatchLog): EndpointWatch {
  const down = new Set<number>();
  return {
    failed(id, names, error) {
      if (down.has(id)) return;
      down.add(id);
      log.warn({ ...names, error }, 'an endpoint can not be reached');
    },
    answered(id, names) {
      if (down.delete(id)) log.info({ ...names }, 'an endpoint is reached again');
    },
    keep(ids) {
      for (const id of down) if (!ids.has(id)) down.delete(id);
    },
    get anyDown() {
      return down.size > 0;
    },
  };
}
