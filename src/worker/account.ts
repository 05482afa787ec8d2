/** The account of a session that has ended: counters, and one line in the access log. */
import type { Logger } from '../base/log.js';
import { createLineBudget } from '../base/log.js';
import type { WorkerCounters } from '../metrics/counters.js';
import type { Facts } from '../model/facts.js';
import type { PlanAccessLog } from '../model/plan.js';
import type { Ender, Reason, Stage } from '../model/session.js';

/** What is counted of a session. */
export interface SessionEnd {
  readonly listener: number;
  /** Index into the Plan's protocols; -1 when none was recognised. */
  readonly protocol: number;
  readonly durationMs: number;
  readonly reason: Reason;
}

/** What is told of it. */
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
  /** What failed, where something did. */
  readonly error?: string | undefined;
}

/** `describe` is called only for a line that is written. */
export type Account = (end: SessionEnd, describe: () => SessionLine) => void;

export interface AccountOptions {
  readonly worker: number;
  readonly workers: number;
  readonly accessLog: PlanAccessLog;
  readonly counters: WorkerCounters;
  readonly logger: Logger;
  readonly nowMs: () => number;
}

const milliseconds = (value: number): number => Math.round(value * 1000) / 1000;

export function createAccount(options: AccountOptions): Account {
  const { worker, counters, logger, accessLog } = options;
  const budget = createLineBudget(Math.ceil(accessLog.rate / options.workers), options.nowMs);
  const logs = accessLog.enabled && logger.isLevelEnabled('info');

  return ({ listener, protocol, reason, durationMs }, describe) => {
    counters.ended(listener, protocol, reason, durationMs, protocol >= 0);
    if (!logs) return;
    if (budget.take()) logger.info(fieldsOf(describe(), worker), 'session');
    else counters.linesDropped(budget.suppressed());
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
    worker,
  };
}
