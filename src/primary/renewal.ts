/**
 * Publishes a Plan for each new Discovery (changed DNS answers). A round can fail because a worker died or was late:
 * the newest Discovery is published again until it is in force.
 */
import type { Clock } from '../base/clock.js';
import type { Discovery } from '../model/config.js';
import type { Published } from '../plane/publication.js';

/** Pause before a refused Discovery is published again. */
export const RENEW_MS = 10_000;

export class Renewal {
  readonly #publish: (discovery: Discovery) => Promise<Published>;
  readonly #clock: Clock;
  #newest: Discovery | null = null;
  #cancel: () => void = () => {};

  constructor(publish: (discovery: Discovery) => Promise<Published>, clock: Clock) {
    this.#publish = publish;
    this.#clock = clock;
  }

  async renew(discovery: Discovery): Promise<void> {
    this.#cancel();
    this.#newest = discovery;
    const { result } = await this.#publish(discovery);
    if (result !== 'refused' || this.#newest !== discovery) return;
    this.#cancel = this.#clock.after(RENEW_MS, () => void this.renew(discovery));
  }

  stop(): void {
    this.#newest = null;
    this.#cancel();
  }
}
