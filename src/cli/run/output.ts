/** The log on standard output, as JSON or pretty. */
import { isatty } from 'node:tty';
import { LineSink } from '../../base/line-sink.js';
import { createLogger, jsonLines, type Logger } from '../../base/log.js';
import type { LoggingConfig } from '../../model/config.js';

const STDOUT = 1;

export interface Output {
  readonly log: Logger;
  /** Takes finished JSON lines. */
  readonly write: (lines: string) => void;
  /** Lines lost so far. */
  readonly linesDropped: () => number;
  /** Another process writes to the same place, until what is returned is called: lines stay whole. */
  share(): () => void;
  /** Resolves when all lines are written or lost. */
  close(): Promise<void>;
}

export async function openOutput({ format, level }: LoggingConfig): Promise<Output> {
  const sink = new LineSink(STDOUT);
  const terminal = isatty(STDOUT);
  const isPretty = format === 'pretty' || (format === 'auto' && terminal);
  const form = isPretty ? await prettyForm(terminal) : jsonLines;
  const write = (lines: string) => sink.write(form(lines));
  return {
    log: createLogger({ level, write }),
    write,
    linesDropped: () => sink.dropped,
    share: () => share(sink),
    close: () => sink.close(),
  };
}

const sharers = new WeakMap<LineSink, number>();

function share(sink: LineSink): () => void {
  const add = (count: number) => {
    const now = (sharers.get(sink) ?? 0) + count;
    sharers.set(sink, now);
    sink.isShared = now > 0;
  };
  add(1);
  return () => add(-1);
}

/** Loaded on demand: services log JSON. */
async function prettyForm(colorize: boolean): Promise<(lines: string) => string> {
  const { prettyLines } = await import('../../base/pretty.js');
  return prettyLines(colorize);
}
