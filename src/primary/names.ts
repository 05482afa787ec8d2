/** The addresses of host names, as a part of the daemon: names of a new configuration are looked up before it counts. */
import { systemClock } from '../base/clock.js';
import { createLineBucket, type Logger, type LogLine, limitedBy } from '../base/log.js';
import { ownAddresses } from '../base/own-addresses.js';
import { astrayIn } from '../config/guests.js';
import { loopsOf } from '../config/own-listeners.js';
import { type Config, type Discovery, NOTHING_DISCOVERED } from '../model/config.js';
import type { ServiceDirectory } from '../model/service-directory.js';
import { createProvider } from '../providers/index.js';
import type { Provider } from '../providers/provider.js';
import { leftOutLimits } from './left-out.js';
import type { Part, Prepared } from './part.js';

export class Names implements Part {
  readonly #provider: Provider;
  #inForce: Config;
  #discovery = NOTHING_DISCOVERED;
  #onChange: (discovery: Discovery) => void = () => {};
  /** Addresses, and names of fragments, that were told of as ours. */
  readonly #told = new Set<string>();
  readonly #warn: LogLine;

  constructor(config: Config, directory: ServiceDirectory, log: Logger) {
    this.#inForce = config;
    const bucket = createLineBucket(leftOutLimits.lines, systemClock.nowMs);
    this.#warn = limitedBy(bucket, (fields, message) => log.warn(fields, message));
    this.#provider = createProvider(config.upstreams, {
      clock: systemClock,
      warn: (fields, message) => log.warn(fields, message),
      info: (fields, message) => log.info(fields, message),
      directory,
    });
  }

  /** The newest that is known. */
  get discovery(): Discovery {
    return this.#discovery;
  }

  /** Waits for the first answers, at most for the time-out of a look-up. `onChange`: there is a newer discovery. */
  async start(onChange: (discovery: Discovery) => void): Promise<void> {
    this.#onChange = onChange;
    const first = await this.#provider.start((discovery) => {
      this.#learn(discovery, this.#inForce);
      onChange(this.#discovery);
    });
    this.#learn(first, this.#inForce);
  }

  /** Waits as `start` does, for names that are new. */
  async prepare({ upstreams, ...config }: Config): Promise<Prepared> {
    this.#learn(await this.#provider.include(upstreams), { ...config, upstreams });
    return {
      commit: () => {
        this.#inForce = { ...config, upstreams };
        this.#provider.retain(upstreams);
      },
      discard: () => this.#provider.retain(this.#inForce.upstreams),
    };
  }

  /** As many nodes of the cluster share limits from now on. */
  shareWith(nodes: number): void {
    this.#discovery = { ...this.#discovery, nodes };
    this.#onChange(this.#discovery);
  }

  #learn(discovery: Discovery, config: Config): void {
    const { nodes = 1 } = this.#discovery;
    this.#discovery = { ...discovery, machine: ownAddresses().map(({ address }) => address), nodes };
    for (const loop of loopsOf(config, this.#discovery))
      this.#tell(loop, 'a name leads to our own listener: this address of it is left out');
    for (const astray of astrayIn(config, this.#discovery))
      this.#tell(
        astray,
        'a name of a fragment leads to this machine itself: such addresses of it are left out',
      );
  }

  /** Once. */
  #tell(fields: object, message: string): void {
    const text = Object.values(fields).join(' ');
    if (this.#told.has(text)) return;
    // Whoever writes fragments has names without end.
    if (this.#told.size >= leftOutLimits.saidMax) this.#told.clear();
    this.#told.add(text);
    this.#warn(fields, message);
  }

  close(): void {
    this.#provider.stop();
  }
}
