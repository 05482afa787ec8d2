/** Sets of networks that are ours to let go of: their memory is native, and the collector would leave it for long. */
import type { Prefixes } from '../addon.js';

export class OwnedSets {
  readonly #owned = new Set<Prefixes>();

  add(sets: Iterable<Prefixes>): void {
    for (const set of sets) this.#owned.add(set);
  }

  /** Lets go of all others; whether there were any. */
  retain(sets: ReadonlySet<Prefixes>): boolean {
    const others = [...this.#owned].filter((set) => !sets.has(set));
    for (const set of others) {
      set.release();
      this.#owned.delete(set);
    }
    return others.length > 0;
  }
}
