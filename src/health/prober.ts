/**
 * Asks endpoints in their intervals: a bounded number at once, never two probes of one endpoint. Knows no health: each
 * answer goes to its owner, who says when to ask again.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../base/clock.js';
import type { SocketAddress } from '../model/address.js';
import type { HealthCheckOptions } from '../model/upstream-options.js';
import type { Outcome } from './check.js';
import type { Way } from './way.js';

export const proberLimits = {
  /** Endpoints asked at once; more wait their turn. */
  probesMax: 256,
  /** Addresses of one endpoint asked at once. */
  addressesMax: 4,
  /** A new endpoint is asked within this time, or its interval if that is shorter. */
  firstMsMax: 1000,
} as const;

export interface ProbeTarget {
  /** The endpoint's id. */
  readonly id: number;
  readonly upstream: string;
  readonly endpoint: string;
  /** To ask; empty: there is none yet. */
  readonly addresses: readonly SocketAddress[];
  readonly serverName: string;
  readonly settings: HealthCheckOptions;
  /** Addresses to ask from, at most one of a family; empty: the system chooses. */
  readonly from?: readonly string[];
  /** Sent before the check's own bytes, over UDP before every datagram; null: nothing. */
  readonly greeting?: Uint8Array | null;
  /** From the addresses, which are a proxy's, to the endpoint; null: they are the endpoint's. */
  readonly way?: Way | null;
}

export interface Answer {
  readonly outcome: Outcome;
  readonly tookMs: number;
}

export interface ProberParts {
  readonly clock: Clock;
  /** A number in [0, 1). */
  readonly random: () => number;
  /** Always resolves, soon after `signal` is aborted. */
  readonly ask: (target: ProbeTarget, address: SocketAddress, signal: AbortSignal) => Promise<Outcome>;
  /** Returns the time from the start of this probe to the next. */
  readonly answered: (target: ProbeTarget, answer: Answer) => number;
}

interface Watched {
  target: ProbeTarget;
  /** Cancels the wait for the next probe. */
  cancel: (() => void) | null;
  /** Its probe under way. */
  asking: AbortController | null;
  /** The address that was well last. */
  wellAt: SocketAddress | null;
}

export class Prober {
  readonly #parts: ProberParts;
  readonly #watched = new Map<number, Watched>();
  /** Due, in order, while as many as may be are being asked. */
  readonly #due = new Set<Watched>();
  #asking = 0;

  constructor(parts: ProberParts) {
    this.#parts = parts;
  }

  /** Endpoints being asked now. */
  get asking(): number {
    return this.#asking;
  }

  /** From now on these, by id. One whose settings are the same goes on as it was. */
  follow(targets: readonly ProbeTarget[]): void {
    const kept = new Set(targets.map(({ id }) => id));
    for (const [id, watched] of this.#watched) if (!kept.has(id)) this.#forget(id, watched);
    for (const target of targets) this.#watch(target);
  }

  close(): void {
    this.follow([]);
  }

  #watch(target: ProbeTarget): void {
    const known = this.#watched.get(target.id);
    if (known === undefined) {
      const watched: Watched = { target, cancel: null, asking: null, wellAt: null };
      this.#watched.set(target.id, watched);
      return this.#start(watched);
    }
    const before = known.target;
    known.target = target;
    const wasIdle = before.addresses.length === 0;
    if (!wasIdle && target.addresses.length > 0 && isDeepStrictEqual(before.settings, target.settings))
      return;
    this.#stop(known);
    this.#start(known);
  }

  #start(watched: Watched): void {
    const { addresses, settings } = watched.target;
    if (addresses.length === 0) return;
    const spreadMs = Math.min(settings.interval, proberLimits.firstMsMax);
    this.#wait(watched, this.#parts.random() * spreadMs);
  }

  #stop(watched: Watched): void {
    watched.cancel?.();
    watched.cancel = null;
    this.#due.delete(watched);
    watched.asking?.abort();
    watched.asking = null;
  }

  #forget(id: number, watched: Watched): void {
    this.#stop(watched);
    this.#watched.delete(id);
  }

  #wait(watched: Watched, ms: number): void {
    watched.cancel = this.#parts.clock.after(ms, () => {
      watched.cancel = null;
      this.#due.add(watched);
      this.#next();
    });
  }

  #next(): void {
    for (const watched of this.#due) {
      if (this.#asking >= proberLimits.probesMax) return;
      this.#due.delete(watched);
      void this.#ask(watched);
    }
  }

  async #ask(watched: Watched): Promise<void> {
    const { clock, answered } = this.#parts;
    const { target } = watched;
    const calledOff = new AbortController();
    watched.asking = calledOff;
    this.#asking += 1;
    const startMs = clock.nowMs();
    const outcome = await this.#askAny(watched, target, calledOff.signal);
    this.#asking -= 1;
    // Called off: the endpoint is gone, or is asked in another way from now on.
    if (watched.asking === calledOff) {
      watched.asking = null;
      const tookMs = clock.nowMs() - startMs;
      const nextMs = answered(target, { outcome, tookMs });
      this.#wait(watched, Math.max(0, nextMs - tookMs));
    }
    this.#next();
  }

  /** Well when one of its addresses is, as for sessions: first the one that was well last, then the others. */
  async #askAny(watched: Watched, target: ProbeTarget, signal: AbortSignal): Promise<Outcome> {
    const { ask } = this.#parts;
    const [first, ...others] = inOrder(target.addresses, watched.wellAt);
    let bad: Outcome | null = null;
    for (const group of [first === undefined ? [] : [first], ...groupsOf(others)]) {
      const settled = new AbortController();
      const either = group.length === 1 ? signal : AbortSignal.any([signal, settled.signal]);
      const answers = group.map(async (address) => ({
        address,
        outcome: await ask(target, address, either),
      }));
      const well = await firstWell(answers);
      settled.abort();
      if (well !== null) {
        watched.wellAt = well.address;
        return well.outcome;
      }
      bad ??= (await answers[0])?.outcome ?? null;
      if (signal.aborted) break;
    }
    return bad ?? { well: false, why: 'has no address' };
  }
}

interface Asked {
  readonly address: SocketAddress;
  readonly outcome: Outcome;
}

/** Does not wait for the others; null: none was. */
async function firstWell(answers: readonly Promise<Asked>[]): Promise<Asked | null> {
  try {
    return await Promise.any(
      answers.map(async (answer) => {
        const asked = await answer;
        if (!asked.outcome.well) throw new Error('not well');
        return asked;
      }),
    );
  } catch {
    return null;
  }
}

function inOrder(addresses: readonly SocketAddress[], wellAt: SocketAddress | null): SocketAddress[] {
  const isFirst = (address: SocketAddress) => wellAt !== null && isDeepStrictEqual(address, wellAt);
  return [...addresses.filter(isFirst), ...addresses.filter((address) => !isFirst(address))];
}

function groupsOf(addresses: readonly SocketAddress[]): SocketAddress[][] {
  const { addressesMax } = proberLimits;
  const count = Math.ceil(addresses.length / addressesMax);
  return Array.from({ length: count }, (_, index) =>
    addresses.slice(index * addressesMax, (index + 1) * addressesMax),
  );
}
