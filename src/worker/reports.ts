/** Batches what a worker reports to the embedding program: one message per session would cost more than the session. */
import type { EndpointChange, Report } from '../model/report.js';
import type { EndpointNames, WatchLog } from './endpoint-watch.js';

export const reportLimits = {
  /** Reports in one message. */
  batchMax: 256,
  /** Latest time for a report to leave. */
  flushMs: 20,
} as const;

export interface Reports {
  add(report: Report): void;
  flush(): void;
}

export function createReports(send: (reports: readonly Report[]) => void): Reports {
  let batch: Report[] = [];
  let timer: NodeJS.Timeout | undefined;

  function flush(): void {
    clearTimeout(timer);
    timer = undefined;
    if (batch.length > 0) send(batch);
    batch = [];
  }

  return {
    add(report) {
      batch.push(report);
      if (batch.length >= reportLimits.batchMax) flush();
      else timer ??= setTimeout(flush, reportLimits.flushMs);
    },
    flush,
  };
}

/** Endpoints that change state, to the log and to the embedding program. */
export function reporting(log: WatchLog, { add }: Reports): WatchLog {
  const tell = (fields: object, state: EndpointChange['state']) => {
    const { upstream, endpoint, error = null } = fields as EndpointNames & { error?: string };
    add({ type: 'endpoint', change: { upstream, endpoint, state, error } });
  };
  return {
    warn(fields, message) {
      log.warn(fields, message);
      tell(fields, 'down');
    },
    info(fields, message) {
      log.info(fields, message);
      tell(fields, 'up');
    },
  };
}
