/** The log lines of one worker: each kind has its own rate limit, so that none uses up the budget of another. */
import {
  createLineBudget,
  createLogger,
  jsonLines,
  type Logger,
  type LogLine,
  rateLimited,
} from '../base/log.js';
import type { WorkerCounters } from '../metrics/counters.js';
import type { WorkerSettings, WorkerSetup } from '../model/message.js';
import type { PlanAccessLog } from '../model/plan.js';
import type { WatchLog } from './endpoint-watch.js';
import { createLogBatch } from './log-batch.js';

const COMPLAINTS_PER_SECOND = 10;

export interface WorkerLogs {
  readonly logger: Logger;
  /** Takes one finished line, with its escapes. */
  readonly write: (line: string) => void;
  /** Failures of configured code. */
  readonly complain: LogLine;
  /** Endpoints that change state. */
  readonly endpoints: WatchLog;
  /** Stages of sessions, at the rate of the access log; null: debug logging is off. */
  readonly debug: LogLine | null;
  /** What the Plan in force says. */
  apply(accessLog: PlanAccessLog, settings: WorkerSettings): void;
  /** Passes on the lines batched so far. */
  flush(): void;
}

/** `write`: takes batches of finished lines. */
export function createLogs(
  { worker, settings }: Pick<WorkerSetup, 'worker' | 'settings'>,
  counters: WorkerCounters,
  nowMs: () => number,
  write: (lines: Uint8Array<ArrayBuffer>) => void,
): WorkerLogs {
  const batch = createLogBatch(write);
  const logger = createLogger({ level: settings.logLevel, write: (line) => batch.write(jsonLines(line)) });
  const limited = (line: LogLine) => rateLimited(line, COMPLAINTS_PER_SECOND, nowMs);
  const stages = createLineBudget(0, nowMs);
  const debug: LogLine = (fields, message) => {
    if (stages.take()) logger.debug(fields, message);
    else counters.add('anyport_log_lines_dropped_total', counters.worker);
  };
  return {
    logger,
    write: batch.write,
    complain: limited((fields, message) => logger.error(fields, message)),
    endpoints: {
      warn: limited((fields, message) => logger.warn({ ...fields, worker }, message)),
      info: limited((fields, message) => logger.info({ ...fields, worker }, message)),
    },
    get debug() {
      return logger.isLevelEnabled('debug') ? debug : null;
    },
    apply(accessLog, { logLevel, workers }) {
      logger.level = logLevel;
      stages.limit(Math.ceil(accessLog.rate / workers));
    },
    flush: batch.flush,
  };
}
