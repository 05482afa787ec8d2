/**
 * What providers say beside the configuration. It is handed over with every configuration that is read; what of it was
 * taken and left out counts once that configuration is in force.
 */
import { Turns } from '../base/turns.js';
import type { Loaded } from '../config/load.js';
import type { Problem } from '../model/config.js';
import {
  type Contribution,
  type Fragment,
  type ProviderName,
  providerNames,
  takenOf,
  type WrittenFragment,
} from '../providers/contribution.js';
import type { Part, Prepared } from './part.js';
import type { SettingsSource } from './settings.js';

type Outcome = Pick<Extract<Loaded, { ok: true }>, 'taken' | 'refused'>;

export class Contributions implements Part {
  /** Of providers that change what they say: one at a time, so that none is refused for what another one tries. */
  readonly turns = new Turns();
  readonly #source: SettingsSource;
  readonly #listeners: (() => void)[] = [];
  /** Of the last configuration that was read. */
  #read: Outcome | null = null;
  #inForce: Outcome;

  constructor(source: SettingsSource) {
    this.#source = source;
    // The first configuration has been read with those that it takes.
    const taken = providerNames.map((provider) => ({
      provider,
      fragments: source.contributed?.(provider) ?? [],
    }));
    this.#inForce = { taken, refused: [] };
  }

  /** Of configurations, which are read with what is contributed. */
  get source(): SettingsSource {
    const source = this.#source;
    const noted = async (loading: Promise<Loaded>): Promise<Loaded> => {
      const loaded = await loading;
      if (loaded.ok) this.#read = loaded;
      return loaded;
    };
    return {
      ...source,
      reload: () => noted(source.reload()),
      check: (document) => noted(source.check(document)),
    };
  }

  get inForce(): readonly Contribution<Fragment>[] {
    return this.#inForce.taken;
  }

  of(provider: ProviderName): readonly Fragment[] {
    return takenOf(this.inForce, provider);
  }

  /** Why fragments are left out that are handed over. */
  refusedOf(provider: ProviderName): readonly Problem[] {
    return this.#inForce.refused.filter(({ file }) => file?.startsWith(`${provider}: `));
  }

  /** A change is likely to come soon. */
  warm(): void {
    this.#source.warm?.();
  }

  /** From the next configuration on. */
  say(provider: ProviderName, fragments: readonly (Fragment | WrittenFragment)[]): void {
    if (fragments.length === 0) this.#source.withdraw?.(provider);
    else this.#source.contribute?.({ provider, fragments });
  }

  /** The configuration that was read last is in force. */
  adopt(): void {
    if (this.#read === null) return;
    const { taken, refused } = this.#read;
    this.#inForce = { taken, refused };
    for (const listener of this.#listeners) listener();
  }

  /** Another configuration is in force: what is taken and left out may have changed. */
  onAdopted(listener: () => void): void {
    this.#listeners.push(listener);
  }

  async prepare(): Promise<Prepared> {
    return { commit: () => this.adopt(), discard: () => {} };
  }

  close(): void {}
}
