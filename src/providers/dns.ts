/**
 * Resolves host names of endpoints and refreshes them periodically. A name that fails to resolve keeps its last good
 * addresses; the same addresses in another order are not a change.
 */

import { isIP } from 'node:net';
import type { Clock } from '../base/clock.js';
import { LifeEnd } from '../base/life-end.js';
import type { Discovery, UpstreamConfig } from '../model/config.js';
import type { Provider, ProviderKind } from './provider.js';
import { createSystemResolver } from './resolver.js';

export const dnsLimits = {
  /** Look-up timeout: after it the look-up counts as failed; a late answer is still used. */
  lookupTimeMsMax: 5000,
  /** First retry delay after a failed look-up; doubles with each failure, up to the name's refresh interval. */
  retryMsMin: 1000,
  /** Lower bound of the refresh interval, whatever is configured. */
  refreshMsMin: 1000,
  /** Addresses kept per name: each unreachable one costs a client a dial timeout. */
  addressesMax: 16,
  /** Debounce of changes: each published one is a new Plan for every worker. */
  gatherMs: 1000,
} as const;

export type Lookup = (host: string) => Promise<readonly string[]>;

export interface DnsOptions {
  /** Must settle: a name has one look-up in flight at most. */
  readonly lookup: Lookup;
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
  return new DnsProvider(hostsOf(upstreams), options);
}

/** Host name → refresh interval in milliseconds, the shortest one of its upstreams. */
export function hostsOf(upstreams: readonly UpstreamConfig[]): Map<string, number> {
  const hosts = new Map<string, number>();
  for (const { endpoints, options } of upstreams) {
    const { refresh } = options.dns;
    for (const { address } of endpoints) {
      if ('path' in address || isIP(address.host)) continue;
      hosts.set(address.host, Math.min(refresh, hosts.get(address.host) ?? Number.POSITIVE_INFINITY));
    }
  }
  return hosts;
}

class DnsProvider implements Provider {
  /** Name → refresh interval. */
  readonly #hosts: Map<string, number>;
  /** Names whose first answer `start` or `include` is waiting for. */
  readonly #awaited = new Set<string>();
  readonly #options: DnsOptions;
  readonly #known = new Map<string, readonly string[]>();
  /** Consecutive failures. */
  readonly #failures = new Map<string, number>();
  /** Names in an outage that has been warned about. */
  readonly #warned = new Set<string>();
  readonly #cancel = new Map<string, () => void>();
  #onChange: ((discovery: Discovery) => void) | null = null;
  #cancelPublishing: (() => void) | null = null;
  readonly #end = new LifeEnd();

  constructor(hosts: Map<string, number>, options: DnsOptions) {
    this.#hosts = hosts;
    this.#options = options;
  }

  async start(onChange: (discovery: Discovery) => void): Promise<Discovery> {
    await this.#await([...this.#hosts.keys()]);
    this.#onChange = onChange;
    return new Map(this.#known);
  }

  async include(upstreams: readonly UpstreamConfig[]): Promise<Discovery> {
    const hosts = hostsOf(upstreams);
    const added = [...hosts.keys()].filter((host) => !this.#hosts.has(host));
    for (const [host, refreshMs] of hosts) {
      this.#hosts.set(host, Math.min(refreshMs, this.#hosts.get(host) ?? Number.POSITIVE_INFINITY));
    }
    await this.#await(added);
    return new Map(this.#known);
  }

  retain(upstreams: readonly UpstreamConfig[]): void {
    const hosts = hostsOf(upstreams);
    for (const host of this.#hosts.keys()) {
      const refreshMs = hosts.get(host);
      if (refreshMs === undefined) this.#forget(host);
      else this.#hosts.set(host, refreshMs);
    }
  }

  stop(): void {
    this.#end.come();
    this.#options.cancel();
    for (const cancel of this.#cancel.values()) cancel();
    this.#cancelPublishing?.();
  }

  /** Resolves when each name has been answered or is late. */
  async #await(hosts: readonly string[]): Promise<void> {
    const answered = hosts.map(async (host) => {
      this.#awaited.add(host);
      await this.#refresh(host);
      this.#awaited.delete(host);
    });
    await this.#end.before(Promise.all(answered));
  }

  #forget(host: string): void {
    this.#cancel.get(host)?.();
    for (const kept of [this.#hosts, this.#known, this.#failures, this.#warned, this.#cancel])
      kept.delete(host);
  }

  /** Resolves when the look-up settles or times out. The next refresh is scheduled only when the look-up settles. */
  async #refresh(host: string): Promise<void> {
    const overdue = new Promise<void>((resolve) => {
      this.#wait(host, dnsLimits.lookupTimeMsMax, () => {
        this.#warn(host, new Error('no answer in time'));
        resolve();
      });
    });
    await Promise.race([this.#ask(host).then(() => this.#refreshLater(host)), overdue]);
  }

  async #ask(host: string): Promise<void> {
    try {
      const addresses = await this.#options.lookup(host);
      if (!this.#hosts.has(host)) return;
      const isNew = this.#learn(host, addresses);
      this.#failures.delete(host);
      if (this.#warned.delete(host)) this.#tell(host, 'name resolves again');
      else if (isNew && !this.#awaited.has(host)) this.#tell(host, 'name has other addresses');
    } catch (error) {
      if (!this.#hosts.has(host)) return;
      this.#failures.set(host, (this.#failures.get(host) ?? 0) + 1);
      this.#warn(host, error);
    }
  }

  #refreshLater(host: string): void {
    const interval = this.#hosts.get(host);
    if (interval === undefined || this.#end.hasCome) return;
    const refreshMs = Math.max(interval, dnsLimits.refreshMsMin);
    const failures = this.#failures.get(host) ?? 0;
    const retryMs = dnsLimits.retryMsMin * 2 ** (failures - 1);
    const waitMs = failures === 0 ? refreshMs : Math.min(retryMs, refreshMs);
    this.#wait(host, waitMs, () => void this.#refresh(host));
  }

  /** One timer per name: the look-up timeout, or the delay before the next look-up. */
  #wait(host: string, ms: number, callback: () => void): void {
    this.#cancel.get(host)?.();
    this.#cancel.set(host, this.#options.clock.after(ms, callback));
  }

  #warn(host: string, error: unknown): void {
    if (this.#warned.has(host) || this.#end.hasCome) return;
    this.#warned.add(host);
    const keeping = this.#known.get(host)?.length ?? 0;
    this.#options.warn({ host, error: messageOf(error), keeping }, 'name does not resolve');
  }

  #tell(host: string, message: string): void {
    if (this.#end.hasCome) return;
    this.#options.info({ host, addresses: this.#known.get(host) ?? [] }, message);
  }

  /** Whether these are other addresses than before. */
  #learn(host: string, addresses: readonly string[]): boolean {
    if (addresses.length === 0) throw new Error('no addresses');
    const kept = keptOf(addresses);
    const before = this.#known.get(host);
    if (before && sameSet(before, kept)) return false;
    this.#known.set(host, kept);
    if (!this.#end.hasCome && !this.#awaited.has(host)) this.#publishSoon();
    return true;
  }

  #publishSoon(): void {
    const onChange = this.#onChange;
    if (onChange === null || this.#cancelPublishing !== null) return;
    this.#cancelPublishing = this.#options.clock.after(dnsLimits.gatherMs, () => {
      this.#cancelPublishing = null;
      onChange(new Map(this.#known));
    });
  }
}

/** Duplicates removed, order kept. Above the limit: a stable selection, so that DNS rotation is not a change. */
function keptOf(addresses: readonly string[]): readonly string[] {
  const different = [...new Set(addresses)];
  return different.length > dnsLimits.addressesMax
    ? different.sort().slice(0, dnsLimits.addressesMax)
    : different;
}

function sameSet(known: readonly string[], addresses: readonly string[]): boolean {
  const now = new Set(addresses);
  return now.size === known.length && known.every((address) => now.has(address));
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
