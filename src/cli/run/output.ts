/** The log on standard output or in a file, as JSON or pretty, as the configuration in force says. */
import { isatty } from 'node:tty';
import { systemClock } from '../../base/clock.js';
import type { LineSink } from '../../base/line-sink.js';
import { createLogger, jsonLines, type Logger } from '../../base/log.js';
import type { LoggingConfig } from '../../model/config.js';
import type { Part } from '../../primary/part.js';
import { LogPlace } from './log-place.js';

const STDOUT = 1;

export interface Output {
  readonly log: Logger;
  /** Takes finished JSON lines of workers, with their escapes. */
  readonly write: (lines: Uint8Array) => void;
  /** Lines lost so far. */
  readonly linesDropped: () => number;
  /** Level and format follow the configuration. */
  readonly follower: Part;
  readonly place: LogPlace;
  /** Another process writes to the same place, until what is returned is called: lines stay whole. */
  share(): () => void;
  /** Resolves when all lines are written or lost. */
  close(): Promise<void>;
}

/** What is made of JSON lines. Null: they stay as they are. */
type Form = ((lines: string) => string) | null;

/** Rejects with a StartError. */
export async function openOutput(first: LoggingConfig): Promise<Output> {
  const place = await LogPlace.open(first.file, systemClock);
  const { sink } = place;
  let form = await formOf(first);
  const log = createLogger({
    level: first.level,
    write: (line) => sink.write(form === null ? jsonLines(line) : form(line)),
  });
  const write = (lines: Uint8Array) => sink.write(form === null ? lines : form(textOf(lines)));
  return {
    log,
    write,
    linesDropped: () => sink.dropped,
    follower: {
      async prepare({ logging }) {
        const next = await formOf(logging);
        const prepared = await place.prepare(logging.file);
        const commit = () => {
          form = next;
          log.level = logging.level;
          prepared.commit();
        };
        return { commit, discard: () => prepared.discard() };
      },
      close() {},
    },
    place,
    share: () => share(sink),
    close: () => place.close(),
  };
}

/** Pretty is loaded on demand: services log JSON. */
async function formOf({ format, file }: LoggingConfig): Promise<Form> {
  const terminal = file === null && isatty(STDOUT);
  if (format === 'json' || (format === 'auto' && !terminal)) return null;
  const { prettyLines } = await import('../../base/pretty.js');
  return prettyLines(terminal);
}

const decoder = new TextDecoder();
const textOf = (lines: Uint8Array): string => decoder.decode(lines);

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
