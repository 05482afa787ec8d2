/**
 * The first configuration has what others say already: a start opens their ports with those of the file, and an upgrade in
 * place goes on with them. Who does not answer in time holds up neither; the daemon asks again, and says why.
 */
import { loadAside } from '../config/aside.js';
import type { FileRequest } from '../config/load.js';
import type { Config } from '../model/config.js';
import { type Contribution, type Fragment, takenOf } from '../providers/contribution.js';
import { namesOfForward } from '../providers/forward-names.js';
import type { Configuration } from './configuration.js';
import { firstContainers } from './first-containers.js';
import { firstFragments } from './first-fragments.js';

/** Of the configurations that follow. */
interface Source {
  contribute(contribution: Contribution): void;
}

export class FirstContributions {
  readonly #request: FileRequest;
  readonly #source: Source;
  #taken: readonly Contribution<Fragment>[] = [];
  /** Why what was kept is not used. */
  #warnings: readonly string[] = [];

  /** `request`: by which the configuration without them was read. */
  constructor(request: FileRequest, source: Source) {
    this.#request = request;
    this.#source = source;
  }

  /** `bare` with what is said beside it; `bare` itself when nobody may, or nothing is said that can be used. */
  async beside(bare: Configuration): Promise<Configuration> {
    const { docker, distributed, server } = bare.config;
    const users = server.identity === null ? [] : [server.identity.user.uid];
    const [keys, containers] = await Promise.all([
      distributed && firstFragments(distributed, users),
      docker && firstContainers(docker, users),
    ]);
    this.#warnings = containers?.warnings ?? [];
    const said: readonly Contribution[] = [keys ?? [], containers?.contribution ?? []].flat();
    const contributions = said.filter(({ fragments }) => fragments.length > 0);
    return contributions.length === 0 ? bare : ((await this.#with(contributions)) ?? bare);
  }

  get warnings(): readonly string[] {
    return this.#warnings;
  }

  /** Without the fragment that has `listener`, which can not be opened. Null: it is none of theirs. */
  async without(listener: string): Promise<Config | null> {
    if (!this.#taken.some(({ fragments }) => fragments.some((each) => isOf(each, listener)))) return null;
    const others = this.#taken.map(({ provider, fragments }) => ({
      provider,
      fragments: fragments.filter((each) => !isOf(each, listener)),
    }));
    return (await this.#with(others))?.config ?? null;
  }

  async #with(contributions: readonly Contribution[]): Promise<Configuration | null> {
    const loaded = await loadAside({ ...this.#request, contributions });
    if (!loaded.ok) return null;
    this.#taken = loaded.taken;
    for (const { provider } of contributions)
      this.#source.contribute({ provider, fragments: takenOf(loaded.taken, provider) });
    return loaded;
  }
}

const isOf = ({ document }: Fragment, listener: string): boolean =>
  Array.isArray(document.forwards) &&
  document.forwards.some((forward) => namesOfForward(forward).includes(listener));
