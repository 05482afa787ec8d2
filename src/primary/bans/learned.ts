/**
 * Bans of other nodes in the engine. What a node says of a source is done once: an operator who lifts such a ban here has
 * the last word. They last as long as the node has said, counted from when it was heard, and end early when it takes them back.
 */
import type { Admission, Prefixes } from '../../addon.js';
import type { Clock } from '../../base/clock.js';
import type { BanNote } from '../../model/ban-note.js';

export const learnedLimits = {
  /** Two readings of one ban may differ by that. */
  sameMs: 2000,
  /** Nodes whose bans are known; of further ones none are learned. */
  nodesMax: 256,
} as const;

export interface LearnedBansParts {
  readonly admission: Pick<Admission, 'banOf' | 'ban' | 'lift'>;
  /** Sources that are never banned; null: none. */
  readonly trusted: () => Pick<Prefixes, 'contains'> | null;
  readonly clock: Clock;
  /** A source is banned because this node has banned it. */
  readonly banned: (address: string, node: string) => void;
}

interface Learned {
  /** By the clock. */
  readonly untilMs: number;
  isDone: boolean;
}

export class LearnedBans {
  readonly #parts: LearnedBansParts;
  /** By node and address. */
  readonly #by = new Map<string, ReadonlyMap<string, Learned>>();

  constructor(parts: LearnedBansParts) {
    this.#parts = parts;
  }

  /** All that a node has banned now. */
  take(node: string, bans: readonly BanNote[]): void {
    const before = this.#by.get(node) ?? new Map<string, Learned>();
    if (!this.#by.has(node) && this.#by.size >= learnedLimits.nodesMax) return;
    const nowMs = this.#parts.clock.nowMs();
    const now = new Map<string, Learned>();
    for (const { address, leftMs } of bans) {
      const known = before.get(address);
      const untilMs = nowMs + leftMs;
      const isLonger = known === undefined || untilMs > known.untilMs + learnedLimits.sameMs;
      now.set(address, { untilMs, isDone: !isLonger && known.isDone });
    }
    this.#by.set(node, now);
    for (const address of before.keys()) if (!now.has(address)) this.#takeBack(address);
    this.look();
  }

  /** Bans whom there was a reason not to ban before: a ban of our own that has ended, a list that has changed. */
  look(): void {
    const nowMs = this.#parts.clock.nowMs();
    for (const [node, bans] of this.#by) {
      for (const [address, learned] of bans) {
        const leftMs = learned.untilMs - nowMs;
        if (leftMs <= 0) learned.isDone = true;
        if (!learned.isDone) learned.isDone = this.#ban(address, leftMs, node);
      }
      if ([...bans.values()].every(({ untilMs }) => untilMs <= nowMs)) this.#by.delete(node);
    }
  }

  /** Whether nothing is left to be done. */
  #ban(address: string, leftMs: number, node: string): boolean {
    const { admission, trusted, banned } = this.#parts;
    if (trusted()?.contains(address)) return false;
    const ban = admission.banOf(address);
    if (ban !== null && ban.reason !== 'cluster') return false;
    if (ban !== null && ban.leftMs + learnedLimits.sameMs >= leftMs) return true;
    if (!admission.ban(address, leftMs, 'cluster')) return false;
    banned(address, node);
    return true;
  }

  /** One that is about to end does so by itself. */
  #takeBack(address: string): void {
    const { admission } = this.#parts;
    if ([...this.#by.values()].some((bans) => bans.has(address))) return;
    const ban = admission.banOf(address);
    if (ban?.reason === 'cluster' && ban.leftMs > learnedLimits.sameMs) admission.lift(address);
  }
}
