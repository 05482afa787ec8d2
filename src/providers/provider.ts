/**
 * What a provider is: a source of addresses that the configuration refers to by name. Each kind is one file and one
 * line in the index.
 */
import type { Clock } from '../base/clock.js';
import type { Discovery, UpstreamConfig } from '../model/config.js';
import type { ServiceDirectory } from '../model/service-directory.js';

export interface Provider {
  /**
   * Resolves with the first discovery, complete or not. After that, `onChange` gets the whole discovery upon each
   * change.
   */
  start(onChange: (discovery: Discovery) => void): Promise<Discovery>;
  /**
   * After `start`: looks also for what these upstreams name, and goes on with the rest. Resolves with the whole
   * discovery, complete or not, when everything new has been answered or is late.
   */
  include(upstreams: readonly UpstreamConfig[]): Promise<Discovery>;
  /** Forgets what these upstreams do not name. */
  retain(upstreams: readonly UpstreamConfig[]): void;
  stop(): void;
}

export interface Surroundings {
  readonly clock: Clock;
  readonly warn: (fields: object, message: string) => void;
  readonly info: (fields: object, message: string) => void;
  /** Where services are registered; absent: nowhere. */
  readonly directory?: ServiceDirectory;
}

/** Makes the provider for what these upstreams name. */
export type ProviderKind = (upstreams: readonly UpstreamConfig[], around: Surroundings) => Provider;
