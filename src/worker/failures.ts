/**
 * Counts sessions that failed because of their endpoint, and tells the primary in batches: a message a session would cost
 * more than the session.
 */
import type { EndpointFailures } from '../model/message.js';

/** Latest time for a failure to be told. */
export const FAILURES_FLUSH_MS = 20;

export interface Failures {
  /** One more, by endpoint id. */
  add(endpoint: number): void;
  close(): void;
}

export function createFailures(send: (failures: EndpointFailures) => void): Failures {
  const counts = new Map<number, number>();
  let timer: NodeJS.Timeout | undefined;

  function flush(): void {
    timer = undefined;
    send([...counts]);
    counts.clear();
  }

  return {
    add(endpoint) {
      counts.set(endpoint, (counts.get(endpoint) ?? 0) + 1);
      timer ??= setTimeout(flush, FAILURES_FLUSH_MS);
    },
    close: () => clearTimeout(timer),
  };
}
