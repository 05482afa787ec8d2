/**
 * Names that are looked up again and again, each with its last good answer: when to ask next, how long an answer is
 * waited for, how many are asked for at once, and what is said of outages.
 */
import type { Clock } from '../base/clock.js';
import { LifeEnd } from '../base/life-end.js';

export const lookupLimits = {
  /** Look-up timeout: after it the look-up counts as failed; a late answer is still used. */
  lookupTimeMsMax: 5000,
  /** Look-ups in flight; further names wait for their turn. */
  lookupsMax: 256,
  /** First retry delay after a failed look-up; doubles with each failure, up to the name's refresh interval. */
  retryMsMin: 1000,
  /** Bounds of the refresh interval, whatever is configured or a record's time to live says. */
  refreshMsMin: 1000,
  refreshMsMax: 24 * 3_600_000,
  /** Refresh interval by time to live, of an answer that has none (the hosts file). */
  withoutTtlMs: 30_000,
} as const;

/** When a name is asked for again; with both, whichever is sooner. */
export interface Wish {
  /** Null: not at an interval. */
  readonly refreshMs: number | null;
  /** When the answer's time to live is over. */
  readonly byTtl: boolean;
}

export interface Answer<Value> {
  readonly value: Value;
  /** Null: it has none. */
  readonly ttlMs: number | null;
}

export interface Known<Value> {
  /** The last good one. */
  readonly value: Value;
  /** The last look-up failed. */
  readonly failing: boolean;
}

export interface WatchOptions<Value> {
  /** Must settle: a name has one look-up in flight at most. */
  readonly lookup: (name: string) => Promise<Answer<Value>>;
  readonly same: (before: Value, now: Value) => boolean;
  readonly clock: Clock;
  /** Another answer than before, or the end of an outage that `onFailure` has told; not the first answer of `include`. */
  readonly onAnswer: (name: string, value: Value, what: { changed: boolean; recovered: boolean }) => void;
  /** The first failure since the last answer; `kept`: that answer. */
  readonly onFailure: (name: string, error: string, kept: Value | undefined) => void;
}

/** A name and what is known of it. */
interface Entry<Value> {
  wish: Wish;
  value?: Value;
  ttlMs: number | null;
  /** Consecutive failures. */
  failures: number;
  /** In an outage that `onFailure` has told. */
  told: boolean;
  /** `include` waits for its first answer. */
  awaited: boolean;
  cancelTimer: () => void;
}

export class NameWatch<Value> {
  readonly #options: WatchOptions<Value>;
  readonly #entries = new Map<string, Entry<Value>>();
  readonly #end = new LifeEnd();
  #asking = 0;
  readonly #turns: (() => void)[] = [];

  constructor(options: WatchOptions<Value>) {
    this.#options = options;
  }

  /** What is known, by name. */
  known(): Map<string, Known<Value>> {
    const known = [...this.#entries].flatMap(([name, { value, told }]) =>
      value === undefined ? [] : [[name, { value, failing: told }] as const],
    );
    return new Map(known);
  }

  /** Watches these names too. Resolves when each of those that are new has been answered or is late. */
  async include(wishes: ReadonlyMap<string, Wish>): Promise<void> {
    const added = [...wishes].filter(([name]) => !this.#entries.has(name));
    for (const [name, wish] of wishes) {
      const entry = this.#entries.get(name);
      if (entry !== undefined) entry.wish = sooner(entry.wish, wish);
    }
    const answered = added.map(async ([name, wish]) => {
      const entry: Entry<Value> = {
        wish,
        ttlMs: null,
        failures: 0,
        told: false,
        awaited: true,
        cancelTimer: () => {},
      };
      this.#entries.set(name, entry);
      await this.#refresh(name, entry);
      entry.awaited = false;
    });
    await this.#end.before(Promise.all(answered));
  }

  /** Forgets all other names. */
  retain(wishes: ReadonlyMap<string, Wish>): void {
    for (const [name, entry] of this.#entries) {
      const wish = wishes.get(name);
      if (wish !== undefined) entry.wish = wish;
      else this.#forget(name, entry);
    }
  }

  stop(): void {
    this.#end.come();
    for (const { cancelTimer } of this.#entries.values()) cancelTimer();
    for (const turn of this.#turns.splice(0)) turn();
  }

  #forget(name: string, entry: Entry<Value>): void {
    entry.cancelTimer();
    this.#entries.delete(name);
  }

  #isWatched(name: string, entry: Entry<Value>): boolean {
    return this.#entries.get(name) === entry && !this.#end.hasCome;
  }

  /** Resolves when the look-up settles or times out. The next refresh is scheduled only when the look-up settles. */
  async #refresh(name: string, entry: Entry<Value>): Promise<void> {
    const overdue = new Promise<void>((resolve) => {
      this.#after(entry, lookupLimits.lookupTimeMsMax, () => {
        this.#failed(name, entry, 'no answer in time');
        resolve();
      });
    });
    await Promise.race([this.#ask(name, entry).then(() => this.#refreshLater(name, entry)), overdue]);
  }

  async #ask(name: string, entry: Entry<Value>): Promise<void> {
    try {
      const answer = await this.#inTurn(() => this.#options.lookup(name));
      if (this.#isWatched(name, entry)) this.#learn(name, entry, answer);
    } catch (error) {
      if (!this.#isWatched(name, entry)) return;
      entry.failures += 1;
      this.#failed(name, entry, error instanceof Error ? error.message : String(error));
    }
  }

  /** Bounds the look-ups in flight. */
  async #inTurn<Result>(job: () => Promise<Result>): Promise<Result> {
    if (this.#asking >= lookupLimits.lookupsMax)
      await new Promise<void>((resolve) => this.#turns.push(resolve));
    else this.#asking += 1;
    try {
      return await job();
    } finally {
      // The place goes to the next in line.
      const next = this.#turns.shift();
      if (next === undefined) this.#asking -= 1;
      else next();
    }
  }

  #learn(name: string, entry: Entry<Value>, { value, ttlMs }: Answer<Value>): void {
    const changed = entry.value === undefined || !this.#options.same(entry.value, value);
    const recovered = entry.told;
    entry.ttlMs = ttlMs;
    entry.failures = 0;
    entry.told = false;
    if (changed) entry.value = value;
    if (recovered || (changed && !entry.awaited)) this.#options.onAnswer(name, value, { changed, recovered });
  }

  #failed(name: string, entry: Entry<Value>, error: string): void {
    if (entry.told || !this.#isWatched(name, entry)) return;
    entry.told = true;
    this.#options.onFailure(name, error, entry.value);
  }

  #refreshLater(name: string, entry: Entry<Value>): void {
    if (!this.#isWatched(name, entry)) return;
    this.#after(entry, waitMsOf(entry), () => void this.#refresh(name, entry));
  }

  /** One timer per name: the look-up timeout, or the delay before the next look-up. */
  #after(entry: Entry<Value>, ms: number, callback: () => void): void {
    entry.cancelTimer();
    entry.cancelTimer = this.#options.clock.after(ms, callback);
  }
}

function waitMsOf({ wish, ttlMs, failures }: Pick<Entry<unknown>, 'wish' | 'ttlMs' | 'failures'>): number {
  const byTtlMs = wish.byTtl ? (ttlMs ?? lookupLimits.withoutTtlMs) : Number.POSITIVE_INFINITY;
  const wantedMs = Math.min(wish.refreshMs ?? Number.POSITIVE_INFINITY, byTtlMs);
  const refreshMs = Math.min(Math.max(wantedMs, lookupLimits.refreshMsMin), lookupLimits.refreshMsMax);
  if (failures === 0) return refreshMs;
  // An answer whose time is short says nothing about how often a server that fails may be asked.
  const ceilingMs = Math.max(refreshMs, wish.byTtl ? lookupLimits.withoutTtlMs : 0);
  return Math.min(lookupLimits.retryMsMin * 2 ** (failures - 1), ceilingMs);
}

/** Both wishes together. */
export function sooner(one: Wish, other: Wish): Wish {
  const refreshMs = Math.min(
    one.refreshMs ?? Number.POSITIVE_INFINITY,
    other.refreshMs ?? Number.POSITIVE_INFINITY,
  );
  return {
    refreshMs: refreshMs === Number.POSITIVE_INFINITY ? null : refreshMs,
    byTtl: one.byTtl || other.byTtl,
  };
}
