/** The addresses of host names, as a part of the daemon: names of a new configuration are looked up before it counts. */
import { systemClock } from '../base/clock.js';
import type { Logger } from '../base/log.js';
import { type Config, type Discovery, NOTHING_DISCOVERED } from '../model/config.js';
import { createProvider } from '../providers/index.js';
import type { Provider } from '../providers/provider.js';
import type { Part, Prepared } from './part.js';

export class Names implements Part {
  readonly #provider: Provider;
  #inForce: Config;
  #discovery = NOTHING_DISCOVERED;

  constructor(config: Config, log: Logger, callOff: AbortSignal) {
    this.#inForce = config;
    this.#provider = createProvider(config.upstreams, {
      clock: systemClock,
      warn: (fields, message) => log.warn(fields, message),
      info: (fields, message) => log.info(fields, message),
    });
    if (callOff.aborted) this.close();
    else callOff.addEventListener('abort', () => this.close(), { once: true });
  }

  /** The newest that is known. */
  get discovery(): Discovery {
    return this.#discovery;
  }

  /** Waits for the first answers, at most for the time-out of a look-up. `onChange`: there is a newer discovery. */
  async start(onChange: (discovery: Discovery) => void): Promise<void> {
    this.#discovery = await this.#provider.start((discovery) => {
      this.#discovery = discovery;
      onChange(discovery);
    });
  }

  /** Waits as `start` does, for names that are new. */
  async prepare({ upstreams, ...config }: Config): Promise<Prepared> {
    this.#discovery = await this.#provider.include(upstreams);
    return {
      commit: () => {
        this.#inForce = { ...config, upstreams };
        this.#provider.retain(upstreams);
      },
      discard: () => this.#provider.retain(this.#inForce.upstreams),
    };
  }

  close(): void {
    this.#provider.stop();
  }
}
