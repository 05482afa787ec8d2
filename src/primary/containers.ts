/** Containers as a part of the daemon: what their labels say is put beside the configuration in force. */
import { isDeepStrictEqual } from 'node:util';
import { systemClock } from '../base/clock.js';
import type { Logger } from '../base/log.js';
import { formatProblem } from '../config/report.js';
import type { Config, DockerConfig } from '../model/config.js';
import { EngineClient } from '../providers/docker/client.js';
import type { Made } from '../providers/docker/fragments.js';
import { engineText } from '../providers/docker/place.js';
import { DockerWatch } from '../providers/docker/watch.js';
import { ContainerState } from './container-state.js';
import type { Contributions } from './contributions.js';
import { Contributor, type ContributorParts, contributorLimits } from './contributor.js';
import { LeftOut } from './left-out.js';
import type { Part, Prepared } from './part.js';

export interface ContainersParts extends Pick<ContributorParts, 'settings'> {
  readonly contributions: Contributions;
  readonly log: Pick<Logger, 'info' | 'warn'>;
}

export class Containers implements Part {
  readonly #parts: ContainersParts;
  readonly #contributor: Contributor;
  readonly #leftOut: LeftOut;
  readonly #state: ContainerState;
  #config: DockerConfig | null = null;
  #watch: DockerWatch | null = null;
  #hasBegun = false as boolean;

  constructor(parts: ContainersParts) {
    this.#parts = parts;
    this.#contributor = new Contributor({ provider: 'docker', ...parts });
    this.#leftOut = new LeftOut(parts.log);
    this.#state = new ContainerState(parts.log);
  }

  async prepare({ docker }: Config): Promise<Prepared> {
    if (isDeepStrictEqual(docker, this.#config)) return { commit: () => {}, discard: () => {} };
    const commit = () => {
      this.#config = docker;
      if (this.#hasBegun) this.#turn();
    };
    return { commit, discard: () => {} };
  }

  /** The daemon serves: from now on its configuration can change. */
  begin(): void {
    this.#hasBegun = true;
    this.#turn();
  }

  close(): void {
    this.#stopWatch();
    this.#state.close();
  }

  /** Resolves when what containers said last is kept. Never rejects. */
  get ended(): Promise<unknown> {
    return this.#state.ended;
  }

  #stopWatch(): void {
    this.#watch?.stop();
    this.#watch = null;
  }

  #turn(): void {
    this.#stopWatch();
    this.#state.follow(this.#config);
    const config = this.#config;
    if (config === null) return void this.#contributor.withdraw();
    const { place } = config;
    const { log } = this.#parts;
    const watch: DockerWatch = new DockerWatch({
      client: new EngineClient(place),
      choice: { network: config.network, allowLoopback: config.allowLoopback },
      follows: config.watch,
      changed: async (made) => watch !== this.#watch || this.#change(made),
      reachable: (why) => {
        const fields = { engine: engineText(place) };
        if (why === null) log.info(fields, 'the container engine is there again');
        else
          log.warn(
            { ...fields, reason: why },
            'the container engine can not be reached: what was known last stays',
          );
      },
      clock: systemClock,
      random: Math.random,
    });
    this.#watch = watch;
    void watch.run();
  }

  /** Whether all of it is in force, or refused for what it says. */
  async #change({ contribution, problems }: Made): Promise<boolean> {
    const { fragments } = contribution;
    const unserved = await this.#contributor.put(fragments);
    if (unserved === null) return true;
    this.#state.save(fragments.filter(({ from }) => !unserved.some((each) => each.from === from)));
    const waiting = unserved.filter(({ why }) => why === null).length;
    this.#leftOut.say([
      ...problems.map(({ from, message }) => `docker: ${from}: ${message}`),
      ...unserved.flatMap(({ from, why }) => (why === null ? [] : [`docker: ${from}: ${why}`])),
      ...(waiting > 0
        ? [`docker: ${waiting} aliases, for now: ${contributorLimits.triedMax} are tried at once`]
        : []),
      ...this.#parts.contributions.refusedOf('docker').map(formatProblem),
    ]);
    return unserved.length === 0;
  }
}
