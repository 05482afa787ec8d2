/** Tells why fragments are left out: each reason once, until it has gone. */
import type { Logger } from '../base/log.js';

export const leftOutLimits = {
  /** Reasons that are remembered. */
  saidMax: 1000,
  /** Of one; what is longer is cut. */
  charactersMax: 1000,
} as const;

export class LeftOut {
  readonly #log: Pick<Logger, 'warn'>;
  #said: ReadonlySet<string> = new Set();

  constructor(log: Pick<Logger, 'warn'>) {
    this.#log = log;
  }

  get reasons(): readonly string[] {
    return [...this.#said];
  }

  /** All that is left out now. */
  say(reasons: readonly string[]): void {
    const { saidMax, charactersMax } = leftOutLimits;
    const now = new Set(reasons.slice(0, saidMax).map((reason) => reason.slice(0, charactersMax)));
    for (const reason of now) if (!this.#said.has(reason)) this.#log.warn(`left out: ${reason}`);
    this.#said = now;
  }
}
