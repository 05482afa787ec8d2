/**
 * Follows an engine: events are hints, after each of which, and after every gap, the containers are listed again. What
 * was made of the last good list stays while the engine can not be reached; only a list can empty it.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../../base/clock.js';
import { askOnce } from './ask.js';
import type { EngineClient } from './client.js';
import type { Made } from './fragments.js';
import type { Choice } from './replica.js';

export const watchLimits = {
  /** Between two lists: a burst of events is one or two of them. */
  gapMs: 100,
  /**
   * Between the lists that follow an event, where none comes meanwhile: engines tell some events (`unpause`, and any while
   * they are busy) before their list says so.
   */
  settleMs: [250, 500, 1_500],
  /** Then: hints may be lost. */
  relistMs: 60_000,
  /** Wait after the first failure, doubled with each further one; a connection that lasted longer than the most begins anew. */
  backoffMinMs: 200,
  backoffMaxMs: 15_000,
} as const;

export interface WatchParts {
  readonly client: Pick<EngineClient, 'negotiate' | 'containers' | 'events'>;
  readonly choice: Choice;
  /** False: containers are listed once. */
  readonly follows: boolean;
  /**
   * Something else is made of the containers than before. Awaited: what happens meanwhile is one change. False: it could
   * not be put into force, and is told again after the next list.
   */
  readonly changed: (made: Made) => Promise<boolean>;
  /** The engine is lost (why), or there again (null): once each. */
  readonly reachable: (why: string | null) => void;
  readonly clock: Clock;
  /** 0 to 1. */
  readonly random: () => number;
}

export class DockerWatch {
  readonly #parts: WatchParts;
  readonly #stop = new AbortController();
  #made: Made | null = null;
  /** It was told that the engine is lost. */
  #isLost = false as boolean;
  /** Connections in a row that have ended soon: one that lists and is cut each time is a failure all the same. */
  #failures = 0;
  /** Something may have changed since the last list began. */
  #isStale = false as boolean;
  #wake: () => void = () => {};

  constructor(parts: WatchParts) {
    this.#parts = parts;
  }

  /** Resolves when it is stopped or, where it does not follow, when the containers have been listed. */
  async run(): Promise<void> {
    const { clock, random, reachable } = this.#parts;
    while (!this.#stop.signal.aborted) {
      const beganMs = clock.nowMs();
      const why = await this.#follow().catch((error: Error) => error.message);
      if (why === null || this.#stop.signal.aborted) return;
      if (!this.#isLost) reachable(why);
      this.#isLost = true;
      this.#failures = clock.nowMs() - beganMs < watchLimits.backoffMaxMs ? this.#failures + 1 : 1;
      await this.#rest(backoffMs(this.#failures, random()));
    }
  }

  stop(): void {
    this.#stop.abort();
    this.#wake();
  }

  /** Until the events end; says why. Null: there is nothing more to do. */
  async #follow(): Promise<string | null> {
    const { client, follows } = this.#parts;
    // Of this connection: whatever ends it ends its requests too.
    const connection = new AbortController();
    const signal = AbortSignal.any([this.#stop.signal, connection.signal]);
    try {
      await client.negotiate(signal);
      if (!follows) return await this.#list(signal).then(() => null);
      const heard = () => {
        this.#isStale = true;
        this.#wake();
      };
      const { ended } = await client.events(heard, signal);
      let end: string | null = null;
      void ended.then((why) => {
        end = why;
        this.#wake();
      });
      let quiet = 0;
      while (end === null && !this.#stop.signal.aborted) {
        if (this.#isStale) quiet = 0;
        await this.#list(signal);
        await this.#rest(watchLimits.gapMs, false);
        if (this.#isStale || end !== null) continue;
        await this.#rest(watchLimits.settleMs[quiet] ?? watchLimits.relistMs);
        quiet += 1;
      }
      return end;
    } finally {
      connection.abort();
    }
  }

  async #list(signal: AbortSignal): Promise<void> {
    this.#isStale = false;
    const made = await askOnce(this.#parts.client, this.#parts.choice, signal);
    if (this.#isLost) this.#parts.reachable(null);
    this.#isLost = false;
    if (isDeepStrictEqual(made, this.#made)) return;
    this.#made = (await this.#parts.changed(made)) ? made : null;
  }

  /** For so long, or until it is stopped; `isWoken`: or until something happens. */
  #rest(ms: number, isWoken = true): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        if (!isWoken && !this.#stop.signal.aborted && !isOver) return;
        cancel();
        this.#wake = () => {};
        resolve();
      };
      let isOver = false;
      const cancel = this.#parts.clock.after(ms, () => {
        isOver = true;
        end();
      });
      this.#wake = end;
      if (this.#stop.signal.aborted) end();
    });
  }
}

/** Half of it is chance, so that many daemons do not come back at once. */
export function backoffMs(failures: number, random: number): number {
  const { backoffMinMs, backoffMaxMs } = watchLimits;
  const most = Math.min(backoffMaxMs, backoffMinMs * 2 ** Math.min(failures - 1, 20));
  return most / 2 + (most / 2) * random;
}
