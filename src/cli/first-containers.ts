/**
 * The first configuration has what containers say already: a start opens their ports with the others, and an upgrade in
 * place goes on with them. An engine that does not answer in time holds up neither; the daemon asks it again.
 */
import { loadAside } from '../config/aside.js';
import type { FileRequest } from '../config/load.js';
import type { Config } from '../model/config.js';
import type { Contribution, Fragment } from '../providers/contribution.js';
import { askOnce } from '../providers/docker/ask.js';
import { EngineClient } from '../providers/docker/client.js';
import { engineAt } from '../providers/docker/place.js';
import type { Configuration } from './configuration.js';

export const firstContainersLimits = {
  /** For the answer of the engine. */
  answerMs: 2000,
} as const;

/** Of the configurations that follow. */
interface Source {
  contribute(contribution: Contribution): void;
}

export class FirstContainers {
  readonly #request: FileRequest;
  readonly #source: Source;
  #fragments: readonly Fragment[] = [];

  /** `request`: by which the configuration without them was read. */
  constructor(request: FileRequest, source: Source) {
    this.#request = request;
    this.#source = source;
  }

  /** `bare` with what its containers say; `bare` itself when it looks at none, or they say nothing that can be used. */
  async beside(bare: Configuration): Promise<Configuration> {
    const { docker } = bare.config;
    if (docker === null) return bare;
    const asked = async () =>
      askOnce(
        new EngineClient(engineAt(docker.place)),
        docker,
        AbortSignal.timeout(firstContainersLimits.answerMs),
      );
    // The daemon says why, when it asks again.
    const fragments = await asked().then(
      ({ contribution }) => contribution.fragments,
      () => [],
    );
    if (fragments.length === 0) return bare;
    return (await this.#with(fragments)) ?? bare;
  }

  /** Without the container that has `listener`, which can not be opened. Null: it is none of theirs. */
  async without(listener: string): Promise<Config | null> {
    const others = this.#fragments.filter((fragment) => !isOf(fragment, listener));
    if (others.length === this.#fragments.length) return null;
    return (await this.#with(others))?.config ?? null;
  }

  async #with(fragments: readonly Fragment[]): Promise<Configuration | null> {
    const contribution = { provider: 'docker', fragments } as const;
    const loaded = await loadAside({ ...this.#request, contributions: [contribution] });
    if (!loaded.ok) return null;
    this.#fragments = loaded.taken;
    this.#source.contribute({ ...contribution, fragments: loaded.taken });
    return loaded;
  }
}

const isOf = ({ document }: Fragment, listener: string): boolean =>
  Array.isArray(document.forwards) && document.forwards.some(({ name }) => name === listener);
