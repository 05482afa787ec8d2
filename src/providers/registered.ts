/** Endpoints of `service:NAME`: instances that are registered in a directory, which keeps itself current. */
import { isDeepStrictEqual } from 'node:util';
import { isRegisteredName } from '../base/address.js';
import type { Discovered, DiscoveredEndpoint, Discovery, UpstreamConfig } from '../model/config.js';
import type { Provider, ProviderKind, Surroundings } from './provider.js';

export const registeredLimits = {
  /** Debounce of changes: each published one is a new Plan for every worker. */
  gatherMs: 250,
  /** Between two that are published, while they keep coming. */
  betweenMs: 1000,
  /** Endpoints of a service that a log line names. */
  namedMax: 16,
} as const;

export const registered: ProviderKind = (upstreams, around) => new RegisteredProvider(upstreams, around);

type Found = Discovered<readonly DiscoveredEndpoint[]>;

class RegisteredProvider implements Provider {
  readonly #around: Surroundings;
  #names: Set<string>;
  /** What has been published last. */
  #published: ReadonlyMap<string, Found> = new Map();
  #publishedMs = Number.NEGATIVE_INFINITY;
  #onChange: (discovery: Discovery) => void = () => {};
  #cancelPublishing: (() => void) | null = null;
  #unsubscribe: () => void = () => {};

  constructor(upstreams: readonly UpstreamConfig[], around: Surroundings) {
    this.#around = around;
    this.#names = namesOf(upstreams);
  }

  async start(onChange: (discovery: Discovery) => void): Promise<Discovery> {
    this.#onChange = onChange;
    this.#unsubscribe = this.#around.directory?.onChange(() => this.#publishSoon()) ?? (() => {});
    return this.#ready();
  }

  include(upstreams: readonly UpstreamConfig[]): Promise<Discovery> {
    for (const name of namesOf(upstreams)) this.#names.add(name);
    return this.#ready();
  }

  retain(upstreams: readonly UpstreamConfig[]): void {
    this.#names = namesOf(upstreams);
  }

  stop(): void {
    this.#unsubscribe();
    this.#cancelPublishing?.();
  }

  async #ready(): Promise<Discovery> {
    if (this.#names.size > 0) await this.#around.directory?.ready();
    return this.#discovery();
  }

  #discovery(): Discovery {
    const services = this.#found();
    this.#published = services;
    return { hosts: new Map(), services };
  }

  #found(): ReadonlyMap<string, Found> {
    const found = [...this.#names].map((name) => [name, this.#around.directory?.find(name)] as const);
    return new Map(found.filter((entry): entry is [string, Found] => entry[1] !== undefined));
  }

  #publishSoon(): void {
    const { clock } = this.#around;
    const sinceMs = clock.nowMs() - this.#publishedMs;
    const waitMs = Math.max(registeredLimits.gatherMs, registeredLimits.betweenMs - sinceMs);
    this.#cancelPublishing ??= clock.after(waitMs, () => {
      this.#cancelPublishing = null;
      const found = this.#found();
      // The change may be of services that nobody names here.
      if (isDeepStrictEqual(found, this.#published)) return;
      for (const name of this.#names) this.#tell(name, found.get(name)?.value ?? []);
      this.#publishedMs = clock.nowMs();
      this.#onChange(this.#discovery());
    });
  }

  #tell(service: string, endpoints: readonly DiscoveredEndpoint[]): void {
    if (isDeepStrictEqual(endpoints, this.#published.get(service)?.value ?? [])) return;
    const named = endpoints.slice(0, registeredLimits.namedMax);
    const more = endpoints.length - named.length;
    const fields = {
      endpoints: named.map(({ name, weight }) => `${name} ${weight}`),
      ...(more > 0 && { more }),
    };
    this.#around.info({ service, ...fields }, 'service has other endpoints');
  }
}

function namesOf(upstreams: readonly UpstreamConfig[]): Set<string> {
  const addresses = upstreams.flatMap(({ endpoints }) => endpoints.map(({ address }) => address));
  const names = addresses.flatMap((address) => ('service' in address ? [address.service] : []));
  return new Set(names.filter(isRegisteredName));
}
