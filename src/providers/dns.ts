/**
 * Addresses of endpoints' host names, and endpoints of SRV records (RFC 2782), looked up again by interval or time to
 * live. A name that fails keeps its last good answer; the same answer in another order is not a change.
 */
import { isIP } from 'node:net';
import { isRecordsName } from '../base/address.js';
import type { Clock } from '../base/clock.js';
import type { DiscoveredEndpoint, Discovery, EndpointConfig, UpstreamConfig } from '../model/config.js';
import { type Answer, lookupLimits, NameWatch, sooner, type Wish } from './name-watch.js';
import type { Provider, ProviderKind } from './provider.js';
import { createSystemResolver } from './resolver.js';
import { endpointsOf, type ServiceRecord } from './service-records.js';

export const dnsLimits = {
  ...lookupLimits,
  /** Addresses kept per name: each unreachable one costs a client time. */
  addressesMax: 16,
  /** Debounce of changes: each published one is a new Plan for every worker. */
  gatherMs: 1000,
  /** The debounce doubles while names keep changing, up to this. */
  gatherMsMax: 30_000,
} as const;

export interface DnsOptions {
  readonly lookup: (host: string) => Promise<Answer<readonly string[]>>;
  readonly lookupService: (name: string) => Promise<Answer<readonly ServiceRecord[]>>;
  /** Cancels all look-ups in flight; called by `stop`. */
  readonly cancel: () => void;
  readonly clock: Clock;
  /** Called once per outage: at a name's first failure, and again only after it has resolved. */
  readonly warn: (fields: { host: string; error: string; keeping: number }, message: string) => void;
  /** Called when an outage is over, and when a name has other addresses than before. */
  readonly info: (fields: { host: string; addresses: readonly string[] }, message: string) => void;
}

export const dns: ProviderKind = (upstreams, around) =>
  createDnsProvider(upstreams, { ...createSystemResolver(), ...around });

export function createDnsProvider(upstreams: readonly UpstreamConfig[], options: DnsOptions): Provider {
  return new DnsProvider(upstreams, options);
}

interface Wishes {
  readonly hosts: Map<string, Wish>;
  /** By the name of the records, without `srv:`. */
  readonly services: Map<string, Wish>;
  /** Names of either kind that lose their answer in an outage (`keep_last_good: false`). */
  readonly dropped: Set<string>;
}

/** What these upstreams name, and how often their most hasty one wants to know. */
export function wishesOf(upstreams: readonly UpstreamConfig[]): Wishes {
  const wishes: Wishes = { hosts: new Map(), services: new Map(), dropped: new Set() };
  for (const { endpoints, via, options } of upstreams) {
    const { refresh, keep_last_good } = options.dns;
    const wish = refresh === 'ttl' ? { refreshMs: null, byTtl: true } : { refreshMs: refresh, byTtl: false };
    // Proxies look up what lies behind the first of them.
    const places = via === null ? endpoints.map(({ address }) => address) : via.hops.slice(0, 1);
    for (const address of places) {
      const name = nameIn(address);
      if (name === null) continue;
      add('service' in address ? wishes.services : wishes.hosts, name, wish);
      if (!keep_last_good) wishes.dropped.add(name);
    }
  }
  return wishes;
}

function nameIn(address: EndpointConfig['address']): string | null {
  if ('service' in address) return isRecordsName(address.service) ? address.service : null;
  return 'path' in address || isIP(address.host) !== 0 ? null : address.host;
}

function add(wishes: Map<string, Wish>, name: string, wish: Wish): void {
  const before = wishes.get(name);
  wishes.set(name, before === undefined ? wish : sooner(before, wish));
}

class DnsProvider implements Provider {
  readonly #options: DnsOptions;
  readonly #hosts: NameWatch<readonly string[]>;
  readonly #services: NameWatch<readonly DiscoveredEndpoint[]>;
  /** What the configuration names; SRV records name further hosts. */
  #wishes: Wishes;
  #onChange: ((discovery: Discovery) => void) | null = null;
  #cancelPublishing: (() => void) | null = null;
  #gatherMs: number = dnsLimits.gatherMs;
  #publishedMs = Number.NEGATIVE_INFINITY;
  #isStopped = false as boolean;

  constructor(upstreams: readonly UpstreamConfig[], options: DnsOptions) {
    const { clock, lookup, lookupService } = options;
    this.#options = options;
    this.#wishes = wishesOf(upstreams);
    this.#hosts = new NameWatch({
      clock,
      lookup: async (host) => keptOf(await lookup(host)),
      same: sameTexts,
      onAnswer: (host, addresses, { changed, recovered }) => {
        this.#tell(host, addresses, recovered ? AGAIN : 'name has other addresses');
        if (changed || this.#wishes.dropped.has(host)) this.#publishSoon();
      },
      onFailure: (host, error, kept = []) => this.#failed(host, host, error, kept.length),
    });
    this.#services = new NameWatch({
      clock,
      lookup: async (name) => endpointsIn(await lookupService(name)),
      same: (before, now) => sameTexts(before.map(textOf), now.map(textOf)),
      onAnswer: (name, endpoints, { changed, recovered }) => {
        const names = endpoints.map((endpoint) => endpoint.name);
        this.#tell(`srv:${name}`, names, recovered ? AGAIN : 'name has other endpoints');
        if (changed) void this.#follow();
        else if (this.#wishes.dropped.has(name)) this.#publishSoon();
      },
      onFailure: (name, error, kept = []) => this.#failed(name, `srv:${name}`, error, kept.length),
    });
  }

  async start(onChange: (discovery: Discovery) => void): Promise<Discovery> {
    await this.#lookUp();
    this.#onChange = onChange;
    return this.#discovery();
  }

  async include(upstreams: readonly UpstreamConfig[]): Promise<Discovery> {
    const more = wishesOf(upstreams);
    for (const [name, wish] of more.hosts) add(this.#wishes.hosts, name, wish);
    for (const [name, wish] of more.services) add(this.#wishes.services, name, wish);
    for (const name of more.dropped) this.#wishes.dropped.add(name);
    await this.#lookUp();
    return this.#discovery();
  }

  retain(upstreams: readonly UpstreamConfig[]): void {
    this.#wishes = wishesOf(upstreams);
    this.#services.retain(this.#wishes.services);
    this.#hosts.retain(this.#hostWishes());
  }

  stop(): void {
    this.#isStopped = true;
    this.#hosts.stop();
    this.#services.stop();
    this.#options.cancel();
    this.#cancelPublishing?.();
  }

  async #lookUp(): Promise<void> {
    await Promise.all([
      this.#hosts.include(this.#hostWishes()),
      this.#services.include(this.#wishes.services).then(() => this.#hosts.include(this.#hostWishes())),
    ]);
  }

  /** After other SRV records: their targets are looked up before they count. */
  async #follow(): Promise<void> {
    await this.#hosts.include(this.#hostWishes());
    if (this.#isStopped) return;
    this.#hosts.retain(this.#hostWishes());
    this.#publishSoon();
  }

  /** Configured hosts, and the targets of SRV records as often as the records. */
  #hostWishes(): Map<string, Wish> {
    const wishes = new Map(this.#wishes.hosts);
    for (const [name, { value }] of this.#services.known()) {
      const wish = this.#wishes.services.get(name);
      for (const { host } of wish === undefined ? [] : value)
        if (isIP(host) === 0) add(wishes, host, wish as Wish);
    }
    return wishes;
  }

  #discovery(): Discovery {
    return { hosts: this.#hosts.known(), services: this.#services.known() };
  }

  #failed(name: string, host: string, error: string, keeping: number): void {
    if (this.#isStopped) return;
    this.#options.warn({ host, error, keeping }, 'name does not resolve');
    if (this.#wishes.dropped.has(name)) this.#publishSoon();
  }

  #tell(host: string, addresses: readonly string[], message: string): void {
    if (!this.#isStopped) this.#options.info({ host, addresses }, message);
  }

  #publishSoon(): void {
    const onChange = this.#onChange;
    if (onChange === null || this.#cancelPublishing !== null || this.#isStopped) return;
    this.#gatherMs = gatherMsAfter(this.#gatherMs, this.#options.clock.nowMs() - this.#publishedMs);
    this.#cancelPublishing = this.#options.clock.after(this.#gatherMs, () => {
      this.#cancelPublishing = null;
      this.#publishedMs = this.#options.clock.nowMs();
      onChange(this.#discovery());
    });
  }
}

const AGAIN = 'name resolves again';

/** A change soon after the last one, relative to what was waited then, is waited for twice as long. */
function gatherMsAfter(lastMs: number, quietMs: number): number {
  if (quietMs < FLAPPING * lastMs) return Math.min(2 * lastMs, dnsLimits.gatherMsMax);
  return dnsLimits.gatherMs;
}

/** Times the debounce: another change within it counts as flapping. */
const FLAPPING = 4;

/** Duplicates removed, order kept. Above the limit: a stable selection, so that DNS rotation is not a change. */
function keptOf({ value, ttlMs }: Answer<readonly string[]>): Answer<readonly string[]> {
  const different = [...new Set(value)];
  if (different.length === 0) throw new Error('no addresses');
  const kept =
    different.length > dnsLimits.addressesMax ? different.sort().slice(0, dnsLimits.addressesMax) : different;
  return { value: kept, ttlMs };
}

function endpointsIn({
  value,
  ttlMs,
}: Answer<readonly ServiceRecord[]>): Answer<readonly DiscoveredEndpoint[]> {
  const endpoints = endpointsOf(value);
  if (endpoints.length === 0) throw new Error('no endpoints');
  return { value: endpoints, ttlMs };
}

const textOf = ({ name, weight, backup }: DiscoveredEndpoint): string => `${name} ${weight} ${backup}`;

function sameTexts(before: readonly string[], now: readonly string[]): boolean {
  const known = new Set(before);
  return known.size === new Set(now).size && now.every((text) => known.has(text));
}
