/** SIGUSR2 as an upgrade: before the daemon is ready, and where there can be none, it is said why nothing is done. */
import { systemClock } from '../../base/clock.js';
import { type Logger, type LogLine, rateLimited } from '../../base/log.js';
import type { Upgrade } from './upgrade.js';

/** Process 1 of a container: with it the container ends, and the new process too. */
const FIRST_PID = 1;

/** The sender controls how many signals arrive. */
const LINES_PER_SECOND = 1;

export class Upgrading {
  readonly #say: LogLine;
  #upgrade: Upgrade | null = null;

  constructor(log: Logger) {
    this.#say = rateLimited(
      (fields, message) => log.warn(fields, message),
      LINES_PER_SECOND,
      systemClock.nowMs,
    );
  }

  /** The daemon is ready. */
  begin(upgrade: Upgrade): void {
    this.#upgrade = upgrade;
  }

  signal(pid: number = process.pid): void {
    const reason = this.#begin(pid);
    if (reason !== null) this.#say({ reason }, 'no upgrade is begun');
  }

  #begin(pid: number): string | null {
    if (pid === FIRST_PID)
      return 'this is process 1 of a container: replace the container (a rolling update)';
    if (this.#upgrade === null) return 'this process is starting or ending';
    return this.#upgrade.begin();
  }
}
