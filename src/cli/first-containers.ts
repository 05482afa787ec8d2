/**
 * The first configuration has what containers say already: a start opens their ports with the others, and an upgrade in
 * place goes on with them. An engine that does not answer in time holds up neither: what containers said last is taken from
 * the disk, where it is kept, and the daemon asks the engine again.
 */
import { type ReadState, readStateFile } from '../base/state-file.js';
import { loadAside } from '../config/aside.js';
import type { FileRequest } from '../config/load.js';
import type { Config, DockerConfig } from '../model/config.js';
import type { Contribution, Fragment } from '../providers/contribution.js';
import { askOnce } from '../providers/docker/ask.js';
import { EngineClient } from '../providers/docker/client.js';
import { containersState, fragmentsIn } from '../providers/docker/last-state.js';
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
  /** Why what was kept is not used. */
  #warnings: readonly string[] = [];

  /** `request`: by which the configuration without them was read. */
  constructor(request: FileRequest, source: Source) {
    this.#request = request;
    this.#source = source;
  }

  /** `bare` with what its containers say; `bare` itself when it looks at none, or they say nothing that can be used. */
  async beside(bare: Configuration): Promise<Configuration> {
    const { docker, server } = bare.config;
    if (docker === null) return bare;
    const uid = server.identity?.user.uid;
    const fragments = (await askedOf(docker)) ?? (await this.#kept(docker, uid === undefined ? [] : [uid]));
    if (fragments.length === 0) return bare;
    return (await this.#with(fragments)) ?? bare;
  }

  get warnings(): readonly string[] {
    return this.#warnings;
  }

  /** Without the container that has `listener`, which can not be opened. Null: it is none of theirs. */
  async without(listener: string): Promise<Config | null> {
    const others = this.#fragments.filter((fragment) => !isOf(fragment, listener));
    if (others.length === this.#fragments.length) return null;
    return (await this.#with(others))?.config ?? null;
  }

  async #kept(docker: DockerConfig, users: readonly number[]): Promise<readonly Fragment[]> {
    const { stateFile } = docker;
    if (stateFile === null) return [];
    const read = await readStateFile(stateFile, containersState, users);
    const kept = keptIn(read, docker);
    if ('fragments' in kept) return kept.fragments;
    this.#warnings = [`docker.state_file: ${stateFile} is not used: ${kept.fault}`];
    return [];
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

/** Null: it does not answer. The daemon says why, when it asks again. */
async function askedOf(docker: DockerConfig): Promise<readonly Fragment[] | null> {
  const signal = AbortSignal.timeout(firstContainersLimits.answerMs);
  try {
    return (await askOnce(new EngineClient(engineAt(docker.place)), docker, signal)).contribution.fragments;
  } catch {
    return null;
  }
}

function keptIn(read: ReadState, docker: DockerConfig): ReturnType<typeof fragmentsIn> {
  if ('fault' in read) return read;
  return read.state === undefined ? { fragments: [] } : fragmentsIn(read.state, docker);
}
