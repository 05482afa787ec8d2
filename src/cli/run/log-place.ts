/**
 * Where the log goes: standard output, or a file that is appended to and may be renamed by others, who then ask for it to
 * be opened anew (SIGUSR1). A file that can not be written costs lines, which are counted, and a word on standard error.
 */
import { close, constants, open } from 'node:fs';
import { promisify } from 'node:util';
import type { Clock } from '../../base/clock.js';
import { LineSink } from '../../base/line-sink.js';
import { openFault } from '../../base/open-fault.js';
import type { Prepared } from '../../primary/part.js';
import { StartError } from '../../primary/start-error.js';

const STDOUT = 1;
const STDERR = 2;

export const logPlaceLimits = {
  /** Between two words on standard error about lines that are lost. */
  complainMs: 60_000,
} as const;

/** For its owner and the group: log lines have addresses of clients. */
const MODE = 0o640;

/** Not blocking: a FIFO without a reader is refused. */
const FLAGS = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK;

export class LogPlace {
  readonly sink: LineSink;
  readonly #clock: Pick<Clock, 'nowMs'>;
  readonly #standardError = new LineSink(STDERR);
  #path: string | null;
  #reopening: Promise<string | null> | null = null;
  #mayComplainMs = 0;

  private constructor(path: string | null, fd: number, clock: Pick<Clock, 'nowMs'>) {
    this.#path = path;
    this.#clock = clock;
    this.sink = new LineSink(fd);
    this.sink.failed = (error) => this.#complain(error);
  }

  /** Null: standard output. Rejects with a StartError. */
  static async open(path: string | null, clock: Pick<Clock, 'nowMs'>): Promise<LogPlace> {
    return new LogPlace(path, path === null ? STDOUT : await openFile(path), clock);
  }

  /** Null: standard output. */
  get path(): string | null {
    return this.#path;
  }

  /** On standard error, as a person at a terminal expects it. */
  say(text: string): void {
    this.#standardError.write(`anyport: ${text}\n`);
  }

  /** The place of another configuration. Rejects with a StartError. */
  async prepare(path: string | null): Promise<Prepared> {
    if (path === this.#path) return { commit() {}, discard() {} };
    const fd = path === null ? STDOUT : await openFile(path);
    const commit = () => {
      this.#path = path;
      this.#redirect(fd);
    };
    return { commit, discard: () => release(fd) };
  }

  /** Opens the file by its name again; resolves with why not, and goes on with the old one then. Once at a time. */
  reopen(): Promise<string | null> {
    this.#reopening ??= this.#reopen().finally(() => {
      this.#reopening = null;
    });
    return this.#reopening;
  }

  async close(): Promise<void> {
    await this.sink.close();
    await this.#standardError.close();
  }

  async #reopen(): Promise<string | null> {
    const path = this.#path;
    if (path === null) return 'the log goes to standard output';
    try {
      const fd = await openFile(path);
      if (path === this.#path) this.#redirect(fd);
      else release(fd);
      return null;
    } catch (error) {
      const { message } = error as Error;
      this.say(message);
      return message;
    }
  }

  #redirect(fd: number): void {
    this.#mayComplainMs = 0;
    this.sink.redirect(fd, release);
  }

  #complain(error: NodeJS.ErrnoException): void {
    const now = this.#clock.nowMs();
    if (this.#path === null || now < this.#mayComplainMs) return;
    this.#mayComplainMs = now + logPlaceLimits.complainMs;
    this.say(
      `logging.file: ${this.#path}: ${error.message}: lines are lost, and counted, until it can be written`,
    );
  }
}

/** Opened by libuv's threads, which have no capabilities: whoever `server.user` names must be able to do it again. */
async function openFile(path: string): Promise<number> {
  try {
    return await promisify(open)(path, FLAGS, MODE);
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    throw new StartError(`logging.file: ${path}: ${openFault(code) ?? message}`, code);
  }
}

function release(fd: number): void {
  if (fd !== STDOUT) close(fd, () => {});
}
