/**
 * When a worker has come to rest after much work: V8 collects garbage as objects are made, so what a burst of sessions has left
 * stays for as long as little happens. Pure.
 */
export const restLimits = {
  /** Events of the engine since garbage was collected last; fewer leave less than is given back. */
  eventsMin: 20_000,
  /** Looks (heartbeats) with at most so many events each, before it is at rest. */
  looks: 2,
  eventsPerLook: 100,
  /** Quiet looks from a collection, which goes in steps, until memory is trimmed: that holds up whoever allocates. */
  looksToTrim: 2,
} as const;

export class Rest {
  #events = 0;
  /** Since the last look. */
  #fresh = 0;
  #quietLooks = 0;
  /** Quiet looks that are left; 0: nothing is to be trimmed. */
  #toTrim = 0;

  worked(events: number): void {
    this.#fresh += events;
  }

  /** What is to be done now, each once after a burst. */
  look(): 'collect' | 'trim' | null {
    const isQuiet = this.#fresh <= restLimits.eventsPerLook;
    this.#events += this.#fresh;
    this.#fresh = 0;
    this.#quietLooks = isQuiet ? this.#quietLooks + 1 : 0;
    if (isQuiet && this.#toTrim > 0) {
      this.#toTrim -= 1;
      if (this.#toTrim === 0) return 'trim';
    }
    if (this.#quietLooks < restLimits.looks || this.#events < restLimits.eventsMin) return null;
    this.#events = 0;
    this.#toTrim = restLimits.looksToTrim;
    return 'collect';
  }
}
