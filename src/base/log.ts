/**
 * Log lines as JSON, and how many there may be. The only importer of pino. Where they go is not its business.
 *
 * A logger makes lines (JSON, each with its line feed) and hands them to a `write`. In a worker that is a
 * message to the primary; in the primary it is the line sink on stdout.
 */
import pino from 'pino';

export type Logger = Pick<pino.Logger, 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'isLevelEnabled'>;

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

/** DEL and C1, which terminals obey and JSON lets pass. */
const CONTROLS = /[\u007f-\u009f]/g;

/** What is done to finished JSON lines last; many at once, for each call lays its text out anew. */
export const jsonLines = (lines: string): string =>
  lines.replace(CONTROLS, (control) => `\\u00${control.charCodeAt(0).toString(16)}`);

/** A budget of lines for one class of messages, so that a flood of events is not a flood of lines. */
export interface LineBudget {
  /** Whether one more line may be written now. */
  take(): boolean;
  /** Lines refused since this was last asked. */
  suppressed(): number;
}

/** Lets `linesPerSecond` pass in each second of `nowMs` (any steady clock). */
export function createLineBudget(linesPerSecond: number, nowMs: () => number): LineBudget {
  let second = Number.NEGATIVE_INFINITY;
  let taken = 0;
  let suppressed = 0;
  return {
    take() {
      const now = Math.floor(nowMs() / 1000);
      if (now !== second) {
        second = now;
        taken = 0;
      }
      if (taken >= linesPerSecond) {
        suppressed += 1;
        return false;
      }
      taken += 1;
      return true;
    },
    suppressed() {
      const count = suppressed;
      suppressed = 0;
      return count;
    },
  };
}

export type LogLine = (fields: object, message: string) => void;

/** A logging function for one class of messages; the first line after a gap says how many it leaves out. */
export function rateLimited(write: LogLine, linesPerSecond: number, nowMs: () => number): LogLine {
  const budget = createLineBudget(linesPerSecond, nowMs);
  return (fields, message) => {
    if (!budget.take()) return;
    const suppressed = budget.suppressed();
    write(suppressed === 0 ? fields : { ...fields, suppressed }, message);
  };
}
