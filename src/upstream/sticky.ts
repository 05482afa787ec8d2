/** Affinity of one upstream: a client goes where it was sent last, while that takes sessions. */
import { type AffinityTable, affinityLimits, TICK_MS } from './affinity.js';
import { type Client, keyOf } from './key.js';

/**
 * What an endpoint is to a client that belongs to it. `full`: it stays the client's, another one serves this session.
 * `down`: likewise, but only for a while. `out`: it takes no sessions, and is replaced.
 */
export type Fitness = 'well' | 'full' | 'down' | 'out';

/** What affinity needs of its upstream. Endpoints are indices. */
export interface Endpoints<Seeker extends Client> {
  fitnessOf(endpoint: number, seeker: Seeker): Fitness;
  /** Another pick: an endpoint, or -1. */
  balance(seeker: Seeker): number;
  isBackup(endpoint: number): boolean;
}

export interface StickyOptions {
  /** Id of the upstream, and by index those of its endpoints. */
  readonly id: number;
  readonly ids: readonly number[];
  /** The fact that clients are known by; null: their source. */
  readonly fact: string | null;
  /** From a client's last session on. */
  readonly lastsMs: number;
  readonly table: AffinityTable;
  /** Monotonic, the same in all threads. */
  readonly nowMs: () => number;
  /** Counts a look-up. */
  readonly lookedUp: (found: boolean) => void;
}

export class Sticky<Seeker extends Client> {
  readonly #options: StickyOptions;
  readonly #endpoints: Endpoints<Seeker>;
  readonly #indices: ReadonlyMap<number, number>;

  constructor(options: StickyOptions, endpoints: Endpoints<Seeker>) {
    this.#options = options;
    this.#endpoints = endpoints;
    this.#indices = new Map(options.ids.map((id, index) => [id, index]));
  }

  /** An endpoint or -1. `isRetry`: the session had one that was unreachable; its look-up has been counted. */
  pick(seeker: Seeker, isRetry: boolean): number {
    const { id, ids, fact, lastsMs, table, nowMs, lookedUp } = this.#options;
    const key = keyOf(seeker, fact);
    const now = Math.floor(nowMs() / TICK_MS);
    const ends = (ms: number) => now + Math.ceil(ms / TICK_MS);
    const remember = (endpoint: number) => table.set(id, key, ids[endpoint] as number, now, ends(lastsMs));
    const known = this.#indices.get(table.find(id, key, now)) ?? -1;
    const fitness = known < 0 ? 'out' : this.#endpoints.fitnessOf(known, seeker);
    if (!isRetry) lookedUp(fitness === 'well');
    if (fitness === 'well') {
      remember(known);
      return known;
    }
    const picked = this.#endpoints.balance(seeker);
    if (fitness === 'down') table.shorten(id, key, now, ends(affinityLimits.keptWhileDownMs));
    // A backup serves until another one can, and not for longer.
    if (fitness === 'out' && picked >= 0 && !this.#endpoints.isBackup(picked)) remember(picked);
    return picked;
  }
}
