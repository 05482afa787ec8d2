/**
 * Endpoints that turn: sessions that reach another one end well, so nothing but this says that one of several is dead.
 * Each worker says what its own sessions met. Endpoints are known by their ids.
 */
import type { LogLine } from '../base/log.js';

export interface EndpointWatch {
  failed(id: number, names: EndpointNames, error: string): void;
  answered(id: number, names: EndpointNames): void;
  /** Forgets all endpoints but these. */
  keep(ids: ReadonlySet<number>): void;
  /** Whether any is known to be dead: for most sessions there is nothing to look up. */
  readonly anyDown: boolean;
}

/** As the log has them. */
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
