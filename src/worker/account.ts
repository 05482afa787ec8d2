/** The access log: one line per ended session, rate-limited. */
import type { Logger } from '../base/log.js';
import { createLineBudget } from '../base/log.js';
import type { WorkerCounters } from '../metrics/counters.js';
import type { Facts } from '../model/facts.js';
import type { PlanAccessLog } from '../model/plan.js';
import type { Ender, Reason, Stage } from '../model/session.js';

export interface SessionLine {
  readonly listener: string;
  readonly protocol: string | null;
  readonly facts: Facts;
  readonly source: string;
  readonly upstream: string | null;
  readonly endpoint: string | null;
  readonly bytesUp: number;
  readonly bytesDown: number;
  readonly identifyMs: number;
  readonly connectMs: number;
  readonly durationMs: number;
  readonly by: Ender;
  readonly during: Stage;
  readonly reason: Reason;
  /** The failure: name of an errno, name of a limit, or message of a handler's error. */
  readonly error?: string | undefined;
  /** The route or key that decided the rejection. */
  readonly route?: string | undefined;
  /** First bytes of an unrecognised opening, in hexadecimal. */
  readonly opening?: string | undefined;
  /** Session number, present if other lines carry it too. */
  readonly session?: string | undefined;
}

/** `describe` is called only if the line is written. */
export interface Account {
  /** Whether lines are written at all, under the Plan in force. */
  readonly logs: boolean;
  /** What the Plan in force says; before the first one nothing is written. */
  apply(accessLog: PlanAccessLog, workers: number): void;
  ended(describe: () => SessionLine): void;
  /** A refused connection, already counted by the engine; `unshown` more were refused without an event. */
  refused(describe: () => SessionLine, unshown: number): void;
}

/** Separate limit per worker, so that lines of refused connections do not use up the budget of served sessions. */
const REFUSALS_PER_SECOND = 10;

export interface AccountOptions {
  readonly worker: number;
  readonly counters: WorkerCounters;
  readonly logger: Logger;
  readonly nowMs: () => number;
}

const milliseconds = (value: number): number => Math.round(value * 1000) / 1000;

export function createAccount(options: AccountOptions): Account {
  const { worker, counters, logger } = options;
  const budget = createLineBudget(0, options.nowMs);
  const refusals = createLineBudget(REFUSALS_PER_SECOND, options.nowMs);
  let logs = false;
  const drop = (lines: number) => counters.add('anyport_log_lines_dropped_total', counters.worker, lines);
  let suppressed = 0;

  return {
    get logs() {
      return logs;
    },
    apply(accessLog, workers) {
      logs = accessLog.enabled && logger.isLevelEnabled('info');
      budget.limit(Math.ceil(accessLog.rate / workers));
    },
    ended(describe) {
      if (!logs) return;
      if (budget.take()) logger.info(fieldsOf(describe(), worker), 'session');
      else drop(1);
    },
    refused(describe, unshown) {
      if (!logs) return;
      const shown = refusals.take() && budget.take();
      const dropped = unshown + (shown ? 0 : 1);
      suppressed += dropped;
      drop(dropped);
      if (!shown) return;
      logger.info({ ...fieldsOf(describe(), worker), ...(suppressed > 0 && { suppressed }) }, 'session');
      suppressed = 0;
    },
  };
}

function fieldsOf(line: SessionLine, worker: number): object {
  return {
    listener: line.listener,
    protocol: line.protocol,
    facts: line.facts,
    source: line.source,
    upstream: line.upstream,
    endpoint: line.endpoint,
    bytes_up: line.bytesUp,
    bytes_down: line.bytesDown,
    identify_ms: milliseconds(line.identifyMs),
    connect_ms: milliseconds(line.connectMs),
    duration_ms: milliseconds(line.durationMs),
    by: line.by,
    during: line.during,
    reason: line.reason,
    error: line.error,
    route: line.route,
    opening: line.opening,
    session: line.session,
    worker,
  };
}
