/**
 * Which refused connections get a line: of each source and reason the first, and then one an interval with the number
 * of those between. The lines of one source do not use up those of another, and a flood is no flood of lines. One from many
 * sources may hide others: the engine tells of no more than its first refusals in a second (native/desk/refusals.h).
 * Pure: the clock is an argument.
 */
import { createLineBudget, type LineBudget } from '../base/log.js';

export const refusalLimits = {
  /** Per worker, whatever their source. */
  linesPerSecond: 10,
  /** Between two lines of the same source and reason. */
  intervalMs: 10_000,
  /** Sources and reasons remembered per worker; the one that was refused least recently is forgotten. */
  entriesMax: 1024,
} as const;

/** What a line says beside the refusal itself. */
export interface Unshown {
  /** Refusals of the same source and reason since its line before. */
  readonly suppressed: number;
  /** Other refusals that will have no line: their source is forgotten, or was never known here. */
  readonly others: number;
}

interface Entry {
  lineAtMs: number;
  suppressed: number;
}

export class Refusals {
  readonly #nowMs: () => number;
  readonly #budget: LineBudget;
  /** The least recently refused first. */
  readonly #entries = new Map<string, Entry>();
  #others = 0;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
    this.#budget = createLineBudget(refusalLimits.linesPerSecond, nowMs);
  }

  /** Counts refusals of which nothing but the number is known. */
  unknown(count: number): void {
    this.#others += count;
  }

  /** `source`: without a port. Null: no line now. */
  take(source: string, reason: string): Unshown | null {
    const entry = this.#entryOf(`${reason} ${source}`);
    const isDue = this.#nowMs() - entry.lineAtMs >= refusalLimits.intervalMs;
    if (!isDue || !this.#budget.take()) {
      entry.suppressed += 1;
      return null;
    }
    const unshown = { suppressed: entry.suppressed, others: this.#others };
    entry.lineAtMs = this.#nowMs();
    entry.suppressed = 0;
    this.#others = 0;
    return unshown;
  }

  #entryOf(key: string): Entry {
    const entry = this.#entries.get(key) ?? { lineAtMs: Number.NEGATIVE_INFINITY, suppressed: 0 };
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    if (this.#entries.size > refusalLimits.entriesMax) this.#forgetOldest();
    return entry;
  }

  #forgetOldest(): void {
    const [oldest] = this.#entries;
    if (oldest === undefined) return;
    const [key, { suppressed }] = oldest;
    this.#entries.delete(key);
    this.#others += suppressed;
  }
}
