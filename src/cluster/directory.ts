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
  #read: ServicesRead;
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
        this.#readAgain();
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
    this.#read = { services: new Map(), faults: [] };
    this.#readAgain();
  }

  get services(): ServicesRead['services'] {
    return this.#read.services;
  }

  get faults(): readonly string[] {
    return this.#read.faults;
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
    if (!this.#known.has(service)) return undefined;
    const instances = this.#read.services.get(service) ?? [];
    return { value: instances.map(({ endpoint }) => endpoint), failing: this.#mirror.isFailing };
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #readAgain(): void {
    const before = new Set(this.#read.faults);
    this.#read = readServices(this.#mirror.items.values(), this.#options);
    for (const name of this.#read.services.keys()) this.#known.add(name);
    const fresh = this.#read.faults.filter((fault) => !before.has(fault));
    const told = fresh.slice(0, directoryLimits.faultsTold);
    if (told.length > 0) this.#options.onFaults(told, fresh.length - told.length);
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
