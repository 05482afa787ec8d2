/**
 * Names that sessions ask for: each is looked up once at a time, whoever waits for it, and remembered for as long as its
 * time to live says. How many are looked up at once, and remembered, is bounded.
 */
import type { Clock } from '../base/clock.js';
import type { Answer } from './name-watch.js';

export const sessionLookupLimits = {
  /** Look-ups in flight, per worker and of one client. */
  inFlightMax: 256,
  perClientMax: 64,
  /** Names remembered per worker; the one that was learnt first is forgotten. */
  namesMax: 4096,
  /** Of a name; those behind are not used. */
  addressesMax: 64,
  /** Shortest time that an answer is remembered: a client that asks again and again is no reason to ask a server again. */
  keepMsMin: 1000,
} as const;

export type Found =
  | { readonly verdict: 'addresses'; readonly addresses: readonly string[] }
  /** The name has none, or nobody knows it. */
  | { readonly verdict: 'none'; readonly error: string }
  | { readonly verdict: 'late' }
  /** As many names are looked up as may be. */
  | { readonly verdict: 'busy' };

export interface LookupParts {
  /** Must settle. */
  readonly lookup: (name: string) => Promise<Answer<readonly string[]>>;
  readonly clock: Clock;
  readonly lookedUp?: (isKnown: boolean) => void;
}

export interface Question {
  readonly name: string;
  /** Who asks: its look-ups are bounded together. */
  readonly client: string;
  readonly timeoutMs: number;
  /** Longest time that the answer is remembered. */
  readonly keepMsMax: number;
}

interface Known {
  readonly found: Found;
  readonly untilMs: number;
}

interface Waiter {
  readonly tell: (found: Found) => void;
  cancelTimer: () => void;
}

/** One in flight. */
interface Lookup {
  readonly client: string;
  readonly waiters: Set<Waiter>;
}

const BUSY: Found = { verdict: 'busy' };
const LATE: Found = { verdict: 'late' };

export class Lookups {
  readonly #parts: LookupParts;
  readonly #known = new Map<string, Known>();
  readonly #inFlight = new Map<string, Lookup>();
  /** Look-ups in flight by the client that asked first. */
  readonly #byClient = new Map<string, number>();

  constructor(parts: LookupParts) {
    this.#parts = parts;
  }

  /** What is known already; or a function that gives up, until `tell` is called, later and once. */
  ask(question: Question, tell: (found: Found) => void): Found | (() => void) {
    const known = this.#knownOf(question.name);
    this.#parts.lookedUp?.(known !== undefined);
    if (known !== undefined) return known;
    const lookup = this.#inFlight.get(question.name) ?? this.#begin(question);
    return lookup === null ? BUSY : this.#wait(lookup, question.timeoutMs, tell);
  }

  #knownOf(name: string): Found | undefined {
    const known = this.#known.get(name);
    if (known === undefined) return undefined;
    if (known.untilMs > this.#parts.clock.nowMs()) return known.found;
    this.#known.delete(name);
    return undefined;
  }

  #wait(lookup: Lookup, timeoutMs: number, tell: (found: Found) => void): () => void {
    const waiter: Waiter = { tell, cancelTimer: () => {} };
    waiter.cancelTimer = this.#parts.clock.after(timeoutMs, () => {
      lookup.waiters.delete(waiter);
      tell(LATE);
    });
    lookup.waiters.add(waiter);
    return () => {
      waiter.cancelTimer();
      lookup.waiters.delete(waiter);
    };
  }

  /** Null: over a limit. */
  #begin({ name, client, keepMsMax }: Question): Lookup | null {
    const ofClient = this.#byClient.get(client) ?? 0;
    const { inFlightMax, perClientMax } = sessionLookupLimits;
    if (this.#inFlight.size >= inFlightMax || ofClient >= perClientMax) return null;
    const lookup: Lookup = { client, waiters: new Set() };
    this.#inFlight.set(name, lookup);
    this.#byClient.set(client, ofClient + 1);
    void this.#lookUp(name, lookup, keepMsMax);
    return lookup;
  }

  async #lookUp(name: string, lookup: Lookup, keepMsMax: number): Promise<void> {
    const { found, ttlMs } = await this.#answerFor(name);
    this.#inFlight.delete(name);
    this.#leave(lookup.client);
    this.#remember(name, found, Math.max(Math.min(ttlMs, keepMsMax), sessionLookupLimits.keepMsMin));
    for (const { tell, cancelTimer } of lookup.waiters) {
      cancelTimer();
      tell(found);
    }
  }

  async #answerFor(name: string): Promise<{ readonly found: Found; readonly ttlMs: number }> {
    try {
      const { value, ttlMs } = await this.#parts.lookup(name);
      const addresses = value.slice(0, sessionLookupLimits.addressesMax);
      return { found: { verdict: 'addresses', addresses }, ttlMs: ttlMs ?? 0 };
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? 'no answer';
      return { found: { verdict: 'none', error: code }, ttlMs: 0 };
    }
  }

  #leave(client: string): void {
    const left = (this.#byClient.get(client) ?? 0) - 1;
    if (left > 0) this.#byClient.set(client, left);
    else this.#byClient.delete(client);
  }

  #remember(name: string, found: Found, keepMs: number): void {
    this.#known.delete(name);
    this.#known.set(name, { found, untilMs: this.#parts.clock.nowMs() + keepMs });
    const [oldest] = this.#known.keys();
    if (this.#known.size > sessionLookupLimits.namesMax && oldest !== undefined) this.#known.delete(oldest);
  }
}
