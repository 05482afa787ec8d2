/** The services of a cluster, current by a mirror of their keys. What is wrong with one is told once, by its key. */
import type { Discovered, DiscoveredEndpoint } from '../model/config.js';
import type { ServiceDirectory } from '../model/service-directory.js';
import type { Held } from './etcd/held.js';
import { Mirror, type MirrorOptions } from './etcd/mirror.js';
import { readServices, type ServiceRules, type ServicesRead, servicesPrefix } from './services.js';

export const directoryLimits = {
  /** Faults that are told after one change; the others are counted. */
  faultsTold: 16,
} as const;

export interface DirectoryOptions extends ServiceRules, Omit<MirrorOptions, 'prefix' | 'onChange'> {
  /** Of instances that are refused and were not before. */
  readonly onFaults: (faults: readonly string[], more: number) => void;
  /** To be written down. */
  readonly onHeld?: (prefix: string, held: Held) => void;
}

export class Directory implements ServiceDirectory {
  readonly #options: DirectoryOptions;
  readonly #mirror: Mirror;
  readonly #listeners = new Set<() => void>();
  /** Null: keys have changed since. Read when somebody asks: of thousands of keys it takes longer than until the next change. */
  #read: ServicesRead | null = null;
  /** Of what was read last. */
  #faultsTold: ReadonlySet<string> = new Set();
  /** Services that have once had instances: without any they are empty, not unknown. */
  readonly #known = new Set<string>();
  #first: Promise<void> = Promise.resolve();

  constructor(options: DirectoryOptions) {
    const { onFaults, onHeld, onFailure, onRecovery, ...rest } = options;
    this.#options = options;
    const prefix = servicesPrefix(options.prefix);
    this.#mirror = new Mirror({
      ...rest,
      prefix,
      onChange: (held) => {
        onHeld?.(prefix, held);
        this.#read = null;
        this.#tell();
      },
      onFailure: (error, keeping) => {
        onFailure(error, keeping);
        this.#tell();
      },
      onRecovery: () => {
        onRecovery();
        this.#tell();
      },
    });
    // Services of the state before are known, also when the first list has them no more.
    this.#current();
  }

  get services(): ServicesRead['services'] {
    return this.#current().services;
  }

  get faults(): readonly string[] {
    return this.#current().faults;
  }

  get held(): Held {
    return this.#mirror.held;
  }

  /** As of a mirror. */
  get isListed(): boolean {
    return this.#mirror.isListed;
  }

  get isFailing(): boolean {
    return this.#mirror.isFailing;
  }

  start(): void {
    this.#first = this.#mirror.start();
  }

  stop(): void {
    this.#mirror.stop();
  }

  ready(): Promise<void> {
    return this.#first;
  }

  find(service: string): Discovered<readonly DiscoveredEndpoint[]> | undefined {
    const { services } = this.#current();
    if (!this.#known.has(service)) return undefined;
    const instances = services.get(service) ?? [];
    return { value: instances.map(({ endpoint }) => endpoint), failing: this.#mirror.isFailing };
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #current(): ServicesRead {
    if (this.#read !== null) return this.#read;
    const read = readServices(this.#mirror.items.values(), this.#options);
    this.#read = read;
    for (const name of read.services.keys()) this.#known.add(name);
    const fresh = read.faults.filter((fault) => !this.#faultsTold.has(fault));
    this.#faultsTold = new Set(read.faults);
    const told = fresh.slice(0, directoryLimits.faultsTold);
    if (told.length > 0) this.#options.onFaults(told, fresh.length - told.length);
    return read;
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
