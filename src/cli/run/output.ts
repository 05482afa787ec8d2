/** The log on standard output, as JSON or pretty, as the configuration in force says. */
import { isatty } from 'node:tty';
import { LineSink } from '../../base/line-sink.js';
import { createLogger, jsonLines, type Logger } from '../../base/log.js';
import type { LoggingConfig } from '../../model/config.js';
import type { Part } from '../../primary/part.js';

const STDOUT = 1;

export interface Output {
  readonly log: Logger;
  /** Takes finished JSON lines. */
  readonly write: (lines: string) => void;
  /** Lines lost so far. */
  readonly linesDropped: () => number;
  /** Level and format follow the configuration. */
  readonly follower: Part;
  /** Another process writes to the same place, until what is returned is called: lines stay whole. */
  share(): () => void;
  /** Resolves when all lines are written or lost. */
  close(): Promise<void>;
}

type Form = (lines: string) => string;

export async function openOutput(first: LoggingConfig): Promise<Output> {
  const sink = new LineSink(STDOUT);
  let form = await formOf(first);
  const write = (lines: string) => sink.write(form(lines));
  const log = createLogger({ level: first.level, write });
  return {
    log,
    write,
    linesDropped: () => sink.dropped,
    follower: {
      async prepare({ logging }) {
        const next = await formOf(logging);
        const commit = () => {
          form = next;
          log.level = logging.level;
        };
        return { commit, discard: () => {} };
      },
      close() {},
    },
    share: () => share(sink),
    close: () => sink.close(),
  };
}

/** Pretty is loaded on demand: services log JSON. */
async function formOf({ format }: LoggingConfig): Promise<Form> {
  const terminal = isatty(STDOUT);
  if (format === 'json' || (format === 'auto' && !terminal)) return jsonLines;
  const { prettyLines } = await import('../../base/pretty.js');
  return prettyLines(terminal);
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
