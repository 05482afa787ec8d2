/**
 * Endpoints that turn: sessions that reach another one end well, so nothing but this says that one of several is dead.
 * Each worker says what its own sessions met.
 */
import type { LogLine } from '../base/log.js';

export interface EndpointWatch {
  failed(upstream: string, endpoint: string, error: string): void;
  answered(upstream: string, endpoint: string): void;
  /** Whether any is known to be dead: for most sessions there is nothing to look up. */
  readonly anyDown: boolean;
}

export interface WatchLog {
  readonly warn: LogLine;
  readonly info: LogLine;
}

export function createEndpointWatch(log: WatchLog): EndpointWatch {
  const down = new Set<string>();
  const keyOf = (upstream: string, endpoint: string) => `${upstream} ${endpoint}`;
  return {
    failed(upstream, endpoint, error) {
      const key = keyOf(upstream, endpoint);
      if (down.has(key)) return;
      down.add(key);
      log.warn({ upstream, endpoint, error }, 'an endpoint can not be reached');
    },
    answered(upstream, endpoint) {
      if (down.delete(keyOf(upstream, endpoint)))
        log.info({ upstream, endpoint }, 'an endpoint is reached again');
    },
    get anyDown() {
      return down.size > 0;
    },
  };
}
