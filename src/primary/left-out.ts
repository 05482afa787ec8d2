/** Tells why fragments are left out: each reason once, until it has gone. */
import { systemClock } from '../base/clock.js';
import { createLineBucket, type Logger, type LogLine, limitedBy } from '../base/log.js';

export const leftOutLimits = {
  /** Reasons that are remembered. */
  saidMax: 1000,
  /** Of one; what is longer is cut. */
  charactersMax: 1000,
  /** Lines at once, and how many of them come back: reasons that are new all the time would fill a disk. */
  lines: { linesMax: 200, perMinute: 60 },
} as const;

export class LeftOut {
  readonly #warn: LogLine;
  #said: ReadonlySet<string> = new Set();

  /** `nowMs`: monotonic. */
  constructor(log: Pick<Logger, 'warn'>, nowMs = systemClock.nowMs) {
    const bucket = createLineBucket(leftOutLimits.lines, nowMs);
    this.#warn = limitedBy(bucket, (fields, message) => log.warn(fields, message));
  }

  get reasons(): readonly string[] {
    return [...this.#said];
  }

  /** All that is left out now. */
  say(reasons: readonly string[]): void {
    const { saidMax, charactersMax } = leftOutLimits;
    const now = new Set(reasons.slice(0, saidMax).map((reason) => reason.slice(0, charactersMax)));
    for (const reason of now) if (!this.#said.has(reason)) this.#warn({}, `left out: ${reason}`);
    this.#said = now;
  }
}
