/** The log lines of one worker: each kind has its own rate limit, so that none uses up the budget of another. */
import { createLineBudget, createLogger, type Logger, type LogLine, rateLimited } from '../base/log.js';
import type { WorkerCounters } from '../metrics/counters.js';
import type { WorkerSetup } from '../model/message.js';
import type { WatchLog } from './endpoint-watch.js';
import { createLogBatch } from './log-batch.js';

const COMPLAINTS_PER_SECOND = 10;

export interface WorkerLogs {
  readonly logger: Logger;
  /** Failures of configured code. */
  readonly complain: LogLine;
  /** Endpoints that change state. */
  readonly endpoints: WatchLog;
  /** Stages of sessions, at the rate of the access log; null: debug logging is off. */
  readonly debug: LogLine | null;
  /** Passes on the lines batched so far. */
  flush(): void;
}

type Setup = Pick<WorkerSetup, 'worker' | 'settings' | 'plan'>;

/** `write`: takes batches of finished lines. */
export function createLogs(
  { worker, settings: { workers, logLevel }, plan }: Setup,
  counters: WorkerCounters,
  nowMs: () => number,
  write: (lines: string) => void,
): WorkerLogs {
  const batch = createLogBatch(write);
  const logger = createLogger({ level: logLevel, write: batch.write });
  const limited = (line: LogLine) => rateLimited(line, COMPLAINTS_PER_SECOND, nowMs);
  const stages = createLineBudget(Math.ceil(plan.accessLog.rate / workers), nowMs);
  const debug: LogLine = (fields, message) => {
    if (stages.take()) logger.debug(fields, message);
    else counters.add('anyport_log_lines_dropped_total', counters.worker);
  };
  return {
    logger,
    complain: limited((fields, message) => logger.error(fields, message)),
    endpoints: {
      warn: limited((fields, message) => logger.warn({ ...fields, worker }, message)),
      info: limited((fields, message) => logger.info({ ...fields, worker }, message)),
    },
    debug: logger.isLevelEnabled('debug') ? debug : null,
    flush: batch.flush,
  };
}
