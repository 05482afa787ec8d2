/** The configuration's files: a change of them is a reload, while `server.reload_on_change` says so. */
import { systemClock } from '../../base/clock.js';
import { FileWatch } from '../../base/file-watch/index.js';
import type { Logger } from '../../base/log.js';
import type { Config } from '../../model/config.js';
import type { Settings } from '../../model/settings.js';
import type { Part, Prepared } from '../../primary/part.js';
import type { SettingsSource } from '../../primary/settings.js';

/** What a configuration was read from, and when (milliseconds since the epoch). */
export interface Origin {
  readonly files: readonly string[];
  readonly readAtMs: number;
}

export class Watching implements Part {
  readonly #watch: FileWatch;
  #settings: Settings | null = null;
  #source: SettingsSource | null = null;
  #isWanted = false;

  constructor({ files, readAtMs }: Origin, log: Logger) {
    const changed = async () => this.#settings?.reload('file');
    const heard = () => this.#source?.warm?.();
    this.#watch = new FileWatch({ changed, heard, clock: systemClock, log });
    void this.#watch.follow(files, readAtMs);
  }

  /** The source, of which the watch learns what was read from which files. */
  through(source: SettingsSource): SettingsSource {
    this.#source = source;
    return {
      ...source,
      reload: async () => {
        const readAtMs = Date.now();
        const loaded = await source.reload();
        void this.#watch.follow(loaded.files, readAtMs);
        return loaded;
      },
    };
  }

  async prepare({ server }: Config): Promise<Prepared> {
    const commit = () => {
      this.#isWanted = server.reloadOnChange;
      this.#turn();
    };
    return { commit, discard: () => {} };
  }

  /** The daemon is ready: until then nothing is reloaded. */
  begin(settings: Settings): void {
    this.#settings = settings;
    this.#turn();
  }

  close(): void {
    this.#watch.close();
  }

  #turn(): void {
    if (this.#settings !== null) this.#watch.turn(this.#isWanted);
  }
}
