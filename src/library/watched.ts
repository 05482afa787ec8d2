/** A promise that tells when it is rejected and nobody has asked for its outcome. */

export class Watched<Value> extends Promise<Value> {
  #isAsked = false as boolean;

  /** What `then` returns is an ordinary promise. */
  static override get [Symbol.species](): PromiseConstructor {
    return Promise;
  }

  /** `unheard` is called with the error when nobody awaits the result, in place of an unhandled rejection. */
  static of<Value>(task: Promise<Value>, unheard: (error: unknown) => void): Watched<Value> {
    const watched = new Watched<Value>((resolve, reject) => void task.then(resolve, reject));
    watched.#watch(unheard);
    return watched;
  }

  // biome-ignore lint/suspicious/noThenProperty: a promise has one
  override then<Fulfilled = Value, Rejected = never>(
    onFulfilled?: ((value: Value) => Fulfilled | PromiseLike<Fulfilled>) | null,
    onRejected?: ((reason: unknown) => Rejected | PromiseLike<Rejected>) | null,
  ): Promise<Fulfilled | Rejected> {
    this.#isAsked = true;
    return super.then(onFulfilled, onRejected);
  }

  #watch(unheard: (error: unknown) => void): void {
    super.then(undefined, (error: unknown) => {
      // Whoever awaits it may do so only after the calls of this turn.
      setImmediate(() => {
        if (!this.#isAsked) unheard(error);
      });
    });
  }
}
