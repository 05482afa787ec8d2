/**
 * JSON log lines and their rate limits. The only importer of pino.
 *
 * A logger passes finished lines (JSON, each with its line feed) to `write`: in a worker a message to the primary, in
 * the primary the line sink on stdout.
 */
import pino from 'pino';
import { escapedJson } from './text.js';

export type Logger = Pick<
  pino.Logger,
  'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'isLevelEnabled' | 'level'
>;

export interface LoggerOptions {
  readonly level: string;
  /** Takes one finished line. */
  readonly write: (line: string) => void;
}

export function createLogger({ level, write }: LoggerOptions): Logger {
  const options: pino.LoggerOptions = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
  };
  return pino(options, { write });
}

/** Escapes terminal controls in finished lines. */
export const jsonLines = escapedJson;

/** Rate limit for one class of messages, so that a flood of events is not a flood of lines. */
export interface LineBudget {
  /** Whether one more line may be written now. */
  take(): boolean;
  /** Lines refused since the last call. */
  suppressed(): number;
  /** Another rate from now on. */
  limit(linesPerSecond: number): void;
}

/** What `allows` refuses is counted. */
function counting(allows: () => boolean): Pick<LineBudget, 'take' | 'suppressed'> {
  let suppressed = 0;
  return {
    take() {
      const allowed = allows();
      if (!allowed) suppressed += 1;
      return allowed;
    },
    suppressed() {
      const count = suppressed;
      suppressed = 0;
      return count;
    },
  };
}

/** Allows `linesPerSecond` in each second of `nowMs` (a monotonic clock). */
export function createLineBudget(linesPerSecond: number, nowMs: () => number): LineBudget {
  let rate = linesPerSecond;
  let second = Number.NEGATIVE_INFINITY;
  let taken = 0;
  const budget = counting(() => {
    const now = Math.floor(nowMs() / 1000);
    if (now !== second) {
      second = now;
      taken = 0;
    }
    if (taken >= rate) return false;
    taken += 1;
    return true;
  });
  return {
    ...budget,
    limit(linesPerSecond) {
      rate = linesPerSecond;
    },
  };
}

/** A token bucket of lines: `linesMax` at once, such as at a start; `perMinute` come back in each minute of `nowMs` (a monotonic clock). */
export function createLineBucket(
  { linesMax, perMinute }: { readonly linesMax: number; readonly perMinute: number },
  nowMs: () => number,
): Pick<LineBudget, 'take' | 'suppressed'> {
  let left = linesMax;
  let sinceMs = nowMs();
  return counting(() => {
    const now = nowMs();
    left = Math.min(linesMax, left + ((now - sinceMs) * perMinute) / 60_000);
    sinceMs = now;
    if (left < 1) return false;
    left -= 1;
    return true;
  });
}

export type LogLine = (fields: object, message: string) => void;

/** Rate-limited logging of one class of messages; the first line after a gap reports how many were suppressed. */
export function rateLimited(write: LogLine, linesPerSecond: number, nowMs: () => number): LogLine {
  return limitedBy(createLineBudget(linesPerSecond, nowMs), write);
}

export function limitedBy(budget: Pick<LineBudget, 'take' | 'suppressed'>, write: LogLine): LogLine {
  return (fields, message) => {
    if (!budget.take()) return;
    const suppressed = budget.suppressed();
    write(suppressed === 0 ? fields : { ...fields, suppressed }, message);
  };
}
