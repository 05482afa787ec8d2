/**
 * Containers as a part of the daemon: what their labels say is merged with the configuration in force, by a change like
 * any other. A change that is refused as a whole (a port that another program has) is tried fragment by fragment.
 */
import { isDeepStrictEqual } from 'node:util';
import { systemClock } from '../base/clock.js';
import type { Logger } from '../base/log.js';
import type { Loaded } from '../config/load.js';
import { formatProblem } from '../config/report.js';
import type { Config, DockerConfig, Document, Problem } from '../model/config.js';
import type { ChangeResult, Settings } from '../model/settings.js';
import type { Contribution, Fragment } from '../providers/contribution.js';
import { EngineClient, type EnginePlace } from '../providers/docker/client.js';
import type { Made } from '../providers/docker/fragments.js';
import { engineAt, engineText } from '../providers/docker/place.js';
import { DockerWatch } from '../providers/docker/watch.js';
import { ContainerState } from './container-state.js';
import type { Part, Prepared } from './part.js';
import type { SettingsSource } from './settings.js';
import { StartError } from './start-error.js';

export const containersLimits = {
  /** Reasons that are remembered, so that each is logged once while it holds. */
  saidMax: 1000,
  /** Fragments that are tried by themselves after a refusal. */
  triedMax: 100,
} as const;

export interface ContainersParts {
  readonly source: SettingsSource;
  /** Of the daemon, which is there when containers are listened to. */
  readonly settings: () => Pick<Settings, 'edit'>;
  readonly log: Pick<Logger, 'info' | 'warn'>;
}

const asItIs = (document: Document): Document => document;

export class Containers implements Part {
  readonly #parts: ContainersParts;
  readonly #state: ContainerState;
  #config: DockerConfig | null = null;
  #place: EnginePlace | null = null;
  #watch: DockerWatch | null = null;
  /** Fragments in force. */
  #taken: readonly Fragment[];
  /** `from` of those that went into the last configuration that was merged, and why others did not. */
  #merged: ReadonlySet<string>;
  #refused: readonly Problem[] = [];
  #said = new Set<string>();
  #hasBegun = false as boolean;

  constructor(parts: ContainersParts) {
    this.#parts = parts;
    this.#state = new ContainerState(parts.log);
    this.#taken = parts.source.contributed?.('docker') ?? [];
    this.#merged = new Set(this.#taken.map(({ from }) => from));
  }

  /** In force: what can be opened, and does not say what the file has. */
  get contribution(): Contribution {
    const fragments = this.#taken.filter(({ from }) => this.#merged.has(from));
    return { provider: 'docker', fragments };
  }

  /** The source, which tells what of the contributions is left out. */
  get source(): SettingsSource {
    const { source } = this.#parts;
    const noted = async (loading: Promise<Loaded>): Promise<Loaded> => {
      const loaded = await loading;
      if (!loaded.ok) return loaded;
      this.#refused = loaded.refused;
      this.#merged = new Set(loaded.taken.map(({ from }) => from));
      return loaded;
    };
    return {
      ...source,
      reload: () => noted(source.reload()),
      check: (document) => noted(source.check(document)),
    };
  }

  async prepare({ docker }: Config): Promise<Prepared> {
    if (isDeepStrictEqual(docker, this.#config)) return { commit: () => {}, discard: () => {} };
    const place = docker && placeOf(docker);
    const commit = () => {
      this.#config = docker;
      this.#place = place;
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
    const [config, place] = [this.#config, this.#place];
    if (config === null || place === null) return void this.#withdraw();
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

  async #withdraw(): Promise<void> {
    if (this.#taken.length === 0) return;
    this.#taken = [];
    this.#parts.source.withdraw?.('docker');
    await this.#parts.settings().edit(asItIs, 'docker');
  }

  /** Whether all of it is in force, or refused for what it says. */
  async #change({ contribution, problems }: Made): Promise<boolean> {
    const { fragments } = contribution;
    const lines = problems.map(({ from, message }) => `docker: ${from}: ${message}`);
    const result = await this.#put(fragments);
    if (result.result === 'called_off') return true;
    const isRefused = result.result === 'refused';
    if (isRefused) lines.push(...(await this.#putEach(fragments)));
    else this.#taken = fragments;
    this.#state.save(this.#taken);
    this.#say([...lines, ...this.#refused.map(formatProblem)]);
    return !isRefused;
  }

  #put(fragments: readonly Fragment[]): Promise<ChangeResult> {
    this.#parts.source.contribute?.({ provider: 'docker', fragments });
    return this.#parts.settings().edit(asItIs, 'docker');
  }

  /** What stays, and then each that is new beside it; returns why some can not be served. */
  async #putEach(fragments: readonly Fragment[]): Promise<string[]> {
    const isTaken = (fragment: Fragment) => this.#taken.some((each) => isDeepStrictEqual(each, fragment));
    let kept = fragments.filter(isTaken);
    const lines: string[] = [];
    await this.#put(kept);
    const added = fragments.filter((each) => !isTaken(each));
    if (added.length > containersLimits.triedMax)
      lines.push(
        `docker: ${added.length} aliases are new: ${containersLimits.triedMax} of them are tried now`,
      );
    for (const fragment of added.slice(0, containersLimits.triedMax)) {
      const result = await this.#put([...kept, fragment]);
      if (result.result === 'called_off') break;
      if (result.result !== 'refused') kept = [...kept, fragment];
      else lines.push(`docker: ${fragment.from}: ${result.problems.map(formatProblem).join('; ')}`);
    }
    this.#parts.source.contribute?.({ provider: 'docker', fragments: kept });
    this.#taken = kept;
    return lines;
  }

  /** Each reason once, until it has gone. */
  #say(lines: readonly string[]): void {
    const now = [...new Set(lines)].slice(0, containersLimits.saidMax);
    for (const line of now) if (!this.#said.has(line)) this.#parts.log.warn(`left out: ${line}`);
    this.#said = new Set(now);
  }
}

function placeOf({ place }: DockerConfig): EnginePlace {
  try {
    return engineAt(place);
  } catch (error) {
    throw new StartError(`docker.tls: ${(error as Error).message}`);
  }
}
