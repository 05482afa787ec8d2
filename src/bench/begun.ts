/** What was started for a measurement; it is stopped in reverse. */
export class Begun {
  readonly #stops: (() => unknown)[] = [];

  keep<Started extends { stop(): unknown }>(started: Started): Started {
    this.#stops.push(started.stop);
    return started;
  }

  async stop(): Promise<void> {
    for (const stop of this.#stops.toReversed()) await stop();
  }
}
