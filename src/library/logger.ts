/** Log lines of an instance: to a function, or to an object like pino's logger. */
import { createLogger, type Logger } from '../base/log.js';
import type { LibraryLogger, LogLine } from './options.js';

export interface Lines {
  readonly log: Logger;
  /** Takes finished JSON lines of workers. */
  write(lines: Uint8Array): void;
}

/** A logger that throws loses its line: it is never called on the way of a session. */
export function linesTo(logger: LibraryLogger | undefined, level: string): Lines {
  if (logger === undefined) return { log: createLogger({ level: 'silent', write() {} }), write() {} };
  const write = (lines: string) => {
    for (const line of lines.split('\n')) if (line !== '') pass(logger, JSON.parse(line) as LogLine);
  };
  const decoder = new TextDecoder();
  return { log: createLogger({ level, write }), write: (lines) => write(decoder.decode(lines)) };
}

function pass(logger: LibraryLogger, line: LogLine): void {
  try {
    if (typeof logger === 'function') return logger(line);
    const { level, msg, ...fields } = line;
    logger[level](fields, msg);
  } catch {
    // Nothing to tell it to.
  }
}
