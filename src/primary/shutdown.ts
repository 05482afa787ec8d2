/**
 * The end of a daemon's service: not ready at once, accepting for `drain_delay` more (load balancers turn away), then
 * sessions finish until `graceful_shutdown_timeout`; what is left is reset. The log tells how many are left.
 */
import type { Clock } from '../base/clock.js';
import type { LogLine } from '../base/log.js';
import { cutOf, leftOf } from '../metrics/left.js';
import type { Totals } from '../metrics/totals.js';
import type { ServerConfig } from '../model/config.js';
import type { IdNames } from '../model/ids.js';
import type { DataPlane } from '../plane/data-plane.js';

export const shutdownLimits = {
  /** Interval of the lines that tell how many sessions are left. */
  tellMs: 5000,
  /** Pairs of listener and protocol in such a line. */
  pairsMax: 10,
} as const;

export interface ShutdownParts {
  readonly plane: Pick<DataPlane, 'drain' | 'cut' | 'open'>;
  /** Whether another process has the sockets. */
  readonly handsOver: () => boolean;
  readonly times: () => Pick<ServerConfig, 'drainDelayMs' | 'gracefulShutdownTimeoutMs'>;
  readonly totals: () => Totals;
  readonly names: IdNames;
  readonly info: LogLine;
  readonly clock: Clock;
}

export class Shutdown {
  readonly #parts: ShutdownParts;
  readonly #requested = new AbortController();
  #draining: Promise<boolean> | null = null;
  #cutting: Promise<boolean> | null = null;
  /** Counts at the beginning; null: not begun, or told. */
  #began: { readonly cut: number; readonly linesDropped: number; readonly atMs: number } | null = null;
  #isClosed = false as boolean;
  #endDelay: () => void = () => {};
  #stopTelling: () => void = () => {};

  constructor(parts: ShutdownParts) {
    this.#parts = parts;
  }

  /** Aborted when a drain is wanted; whoever runs the daemon then calls `drain`. */
  get requested(): AbortSignal {
    return this.#requested.signal;
  }

  /** False: it was requested before, or has begun. */
  request(): boolean {
    if (this.hasBegun || this.#requested.signal.aborted) return false;
    this.#requested.abort();
    return true;
  }

  get hasBegun(): boolean {
    return this.#draining !== null;
  }

  /**
   * Resolves with whether no thread died and none was late. `accepts`: false during the start; then nothing is delayed,
   * and only workers that accept already are waited for. `deadlineMs`, `delayMs`: instead of `graceful_shutdown_timeout`
   * and `drain_delay`.
   */
  drain(accepts: boolean, deadlineMs?: number, delayMs?: number): Promise<boolean> {
    const { drainDelayMs, gracefulShutdownTimeoutMs } = this.#parts.times();
    this.#draining ??= this.#drain(accepts, deadlineMs ?? gracefulShutdownTimeoutMs, delayMs ?? drainDelayMs);
    return this.#draining;
  }

  /** Ends all sessions now; resolves with whether there were none. */
  cut(): Promise<boolean> {
    this.#cutting ??= this.#cut();
    return this.#cutting;
  }

  /** Waits for nothing more, tells nothing more. */
  close(): void {
    this.#isClosed = true;
    this.#endDelay();
    this.#stopTelling();
  }

  async #drain(accepts: boolean, deadlineMs: number, delayMs: number): Promise<boolean> {
    const { plane, totals, info, clock, handsOver } = this.#parts;
    const sessions = plane.open;
    if (!accepts && sessions === 0) return true;
    info({ sessions, drain_delay_ms: delayMs, deadline_ms: deadlineMs }, 'draining');
    this.#began = { ...cutOf(totals()), atMs: clock.nowMs() };
    if (accepts) await this.#delay(delayMs);
    if (this.#isClosed) return false;
    if (this.#cutting !== null) return this.#cutting;
    this.#tellLater(clock.nowMs() + deadlineMs);
    const inTime = await plane.drain(deadlineMs, handsOver());
    this.#sayDrained();
    return this.#cutting ?? inTime;
  }

  async #cut(): Promise<boolean> {
    const { plane } = this.#parts;
    const none = plane.open === 0;
    if (!none) await plane.cut();
    this.#endDelay();
    this.#sayDrained();
    return none;
  }

  #delay(ms: number): Promise<void> {
    if (ms === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const cancel = this.#parts.clock.after(ms, resolve);
      this.#endDelay = () => {
        cancel();
        resolve();
      };
    });
  }

  #tellLater(deadlineMs: number): void {
    this.#stopTelling = this.#parts.clock.after(shutdownLimits.tellMs, () => {
      this.#tell(deadlineMs);
      this.#tellLater(deadlineMs);
    });
  }

  #tell(deadlineMs: number): void {
    const { plane, totals, names, info, clock } = this.#parts;
    const pairs = leftOf(totals(), names);
    const left = pairs.slice(0, shutdownLimits.pairsMax);
    const others = pairs.slice(shutdownLimits.pairsMax).reduce((sum, { sessions }) => sum + sessions, 0);
    const cut_in_ms = Math.max(0, Math.round(deadlineMs - clock.nowMs()));
    info({ sessions: plane.open, left, ...(others > 0 && { others }), cut_in_ms }, 'still draining');
  }

  /** Sessions that are cut have lines as others have, at `access_log_rate`: here is their number. */
  #sayDrained(): void {
    const began = this.#began;
    if (began === null) return;
    this.#began = null;
    this.#stopTelling();
    const { totals, info, clock } = this.#parts;
    const { cut, linesDropped } = cutOf(totals());
    const fields = { cut: cut - began.cut, lines_dropped: linesDropped - began.linesDropped };
    info({ ...fields, took_ms: Math.round(clock.nowMs() - began.atMs) }, 'drained');
  }
}
