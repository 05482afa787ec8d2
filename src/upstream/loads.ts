/**
 * Sessions per endpoint id. The engines keep the counts of all workers, but an engine learns of picks only when it
 * reads this worker's answers. Picks of the current turn are added here; otherwise they would all go to one endpoint.
 */
export class Loads {
  readonly #counted: (endpoint: number) => number;
  /** Picks of this turn, by endpoint id; grows. */
  #picks = new Int32Array(64);
  /** Ids that were picked in this turn. */
  readonly #picked: number[] = [];

  /** `counted`: sessions of an endpoint, all workers together. */
  constructor(counted: (endpoint: number) => number) {
    this.#counted = counted;
  }

  sessions(endpoint: number): number {
    return this.#counted(endpoint) + (this.#picks[endpoint] ?? 0);
  }

  picked(endpoint: number): void {
    if (endpoint >= this.#picks.length) this.#grow(endpoint);
    if (this.#picks[endpoint] === 0) this.#picked.push(endpoint);
    this.#picks[endpoint] = (this.#picks[endpoint] as number) + 1;
  }

  /** Called when the engine has read all answers. Leaves no garbage: a turn is short, and there are many. */
  settle(): void {
    while (this.#picked.length > 0) this.#picks[this.#picked.pop() as number] = 0;
  }

  #grow(endpoint: number): void {
    const grown = new Int32Array(2 * (endpoint + 1));
    grown.set(this.#picks);
    this.#picks = grown;
  }
}
