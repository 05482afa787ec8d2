/** The access log: one line per ended session, rate-limited; and the same as reports to an embedding program. */
import type { Logger } from '../base/log.js';
import { createLineBudget } from '../base/log.js';
import type { WorkerCounters } from '../metrics/counters.js';
import type { PlanAccessLog } from '../model/plan.js';
import type { EndedSession } from '../model/report.js';
import { Refusals, type Unshown } from './refusals.js';
import { milliseconds, sessionText } from './session-text.js';

export interface SessionLine extends Omit<EndedSession, 'time' | 'worker'> {
  /** Session number, present if other lines carry it too. */
  readonly session?: string | undefined;
}

/** `describe` is called only if the line is written or reported. */
export interface Account {
  /** Whether anything is made of sessions at all, under the Plan in force. */
  readonly logs: boolean;
  /** Whether sessions are reported: somebody listens. */
  reports: boolean;
  /** What the Plan in force says; before the first one nothing is written. */
  apply(accessLog: PlanAccessLog, workers: number): void;
  /** `mayReport`: whether it began while somebody listened; by default it did, as far as is known. */
  ended(describe: () => SessionLine, mayReport?: boolean): void;
  /** A refused connection, already counted by the engine; `unshown` more were refused without an event. */
  refused(describe: () => SessionLine, unshown: number): void;
}

export interface AccountOptions {
  readonly worker: number;
  readonly counters: WorkerCounters;
  readonly logger: Pick<Logger, 'isLevelEnabled'>;
  /** Takes one finished line, with its escapes. */
  readonly write: (line: string) => void;
  readonly nowMs: () => number;
  /** Takes sessions while `reports` is set. */
  readonly report?: (session: EndedSession) => void;
}

export function createAccount(options: AccountOptions): Account {
  const { worker, counters, logger, write, report = () => {} } = options;
  const budget = createLineBudget(0, options.nowMs);
  const reported = createLineBudget(0, options.nowMs);
  /** A limit of their own, so that they do not use up the budget of served sessions. */
  const refusals = new Refusals(options.nowMs);
  const drop = (lines: number) => counters.add('anyport_log_lines_dropped_total', counters.worker, lines);
  let logs = false;
  let reports = false;

  /** False: over the rates. */
  function tell(describe: () => SessionLine, mayReport: boolean, unshown?: Unshown): boolean {
    const isLogged = logs && budget.take();
    const isReported = reports && mayReport && reported.take();
    if (!(isLogged || isReported)) {
      drop(1);
      return false;
    }
    const line = describe();
    if (isLogged) write(sessionText(line, worker, Date.now(), unshown));
    if (isReported) report(reportOf(line, worker));
    return true;
  }

  return {
    get logs() {
      return logs || reports;
    },
    get reports() {
      return reports;
    },
    set reports(wanted) {
      reports = wanted;
    },
    apply(accessLog, workers) {
      logs = accessLog.enabled && logger.isLevelEnabled('info');
      for (const each of [budget, reported]) each.limit(Math.ceil(accessLog.rate / workers));
    },
    ended(describe, mayReport = true) {
      if (logs || (reports && mayReport)) tell(describe, mayReport);
    },
    refused(describe, unshown) {
      if (!(logs || reports)) return;
      drop(unshown);
      refusals.unknown(unshown);
      const line = describe();
      const said = refusals.take(hostOf(line.source), `${line.reason} ${line.error ?? ''}`);
      if (said === null) drop(1);
      else tell(() => line, true, said);
    },
  };
}

/** Without its port. */
const hostOf = (source: string): string => source.replace(/:\d+$/, '');

function reportOf({ session: _, ...line }: SessionLine, worker: number): EndedSession {
  const { identifyMs, connectMs, queueMs, durationMs } = line;
  return {
    ...line,
    time: new Date(),
    identifyMs: milliseconds(identifyMs),
    connectMs: milliseconds(connectMs),
    queueMs: queueMs === undefined ? undefined : milliseconds(queueMs),
    durationMs: milliseconds(durationMs),
    worker,
  };
}
