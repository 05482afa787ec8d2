/** What containers said last, kept on disk where `docker.state_file` says. */
import { systemClock } from '../base/clock.js';
import type { Logger } from '../base/log.js';
import { StateWriter } from '../base/state-file.js';
import type { DockerConfig } from '../model/config.js';
import type { Fragment } from '../providers/contribution.js';
import { containersState, stateOf } from '../providers/docker/last-state.js';

export class ContainerState {
  readonly #log: Pick<Logger, 'info' | 'warn'>;
  #docker: DockerConfig | null = null;
  #file: StateWriter | null = null;
  /** What is written still to files that are not followed any more. */
  #ending: Promise<unknown> = Promise.resolve();

  constructor(log: Pick<Logger, 'info' | 'warn'>) {
    this.#log = log;
  }

  /** From now on; null: nothing is kept. A file that was written before stays as it is. */
  follow(docker: DockerConfig | null): void {
    const path = docker?.stateFile ?? null;
    if (path !== (this.#docker?.stateFile ?? null)) {
      this.close();
      this.#file = path === null ? null : this.#open(path);
    }
    this.#docker = docker;
  }

  /** They are in force, by what the engine has said. */
  save(fragments: readonly Fragment[]): void {
    const docker = this.#docker;
    if (docker !== null) this.#file?.save(() => stateOf(fragments, docker));
  }

  /** Nothing is kept any more. */
  close(): void {
    this.#ending = Promise.all([this.#ending, this.#file?.close()]);
    this.#file = null;
    this.#docker = null;
  }

  /** Resolves when what was to be kept is. Never rejects. */
  get ended(): Promise<unknown> {
    return this.#ending;
  }

  #open(path: string): StateWriter {
    const onError = (error: string | null) => {
      if (error === null) this.#log.info({ file: path }, 'what containers say is kept again');
      else this.#log.warn({ file: path, error }, 'what containers say can not be kept');
    };
    return new StateWriter({ path, kind: containersState, clock: systemClock, onError });
  }
}
