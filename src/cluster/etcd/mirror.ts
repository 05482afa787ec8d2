/**
 * A prefix of etcd, kept current. A list is the truth and a watch a hint: whatever ends a watch (compaction, a member that
 * goes, a cut connection) and every refresh end in a list, whose difference is told. A list that fails changes nothing.
 */
import type { Clock } from '../../base/clock.js';
import { LifeEnd } from '../../base/life-end.js';
import type { EtcdClient } from './client.js';
import { EtcdFailure } from './failure.js';
import {
  advanced,
  type Change,
  HELD_KEYS_MAX,
  type Held,
  NOTHING_HELD,
  relisted,
  type Step,
} from './held.js';
import type { KeyValue, WatchMessage } from './wire.js';

export const mirrorLimits = {
  /** Delay before the next list after a failure or the end of a watch; doubles up to the maximum, less up to a half by chance. */
  retryMsMin: 100,
  /** Convergence after an outage takes this and a list. */
  retryMsMax: 1000,
  /** Part of the refresh interval by which it varies: nodes started together do not list together. */
  refreshJitter: 0.1,
} as const;

export interface MirrorOptions {
  readonly client: Pick<EtcdClient, 'list' | 'watch'>;
  readonly prefix: string;
  readonly refreshMs: number;
  readonly clock: Clock;
  /** 0 to below 1. */
  readonly chance: () => number;
  /** What was known when the process was last there. */
  readonly initial?: Held;
  /** Also after the first list, whatever it has: what others have known may not be there any more. */
  readonly onChange: (held: Held, changes: readonly Change[]) => void;
  /** In an outage once for each reason that follows another, with what is kept. */
  readonly onFailure: (error: Error, keeping: number) => void;
  /** The outage is over. */
  readonly onRecovery: () => void;
}

export class Mirror {
  readonly #options: MirrorOptions;
  readonly #end = new LifeEnd();
  #held: Held;
  #closeWatch: () => void = () => {};
  /** Lists and watches in a row that have ended before their time. */
  #failures = 0;
  /** The reason that was told last; null: no outage. */
  #told: string | null = null;
  #isListed = false as boolean;
  #onFirst: () => void = () => {};

  constructor(options: MirrorOptions) {
    this.#options = options;
    this.#held = options.initial ?? NOTHING_HELD;
  }

  get held(): Held {
    return this.#held;
  }

  get items(): ReadonlyMap<string, KeyValue> {
    return this.#held.items;
  }

  /** Has been listed since the start; before that `items` are those of `initial`. */
  get isListed(): boolean {
    return this.#isListed;
  }

  /** The last list or watch has failed. */
  get isFailing(): boolean {
    return this.#told !== null;
  }

  /** Resolves after the first list, good or not. */
  start(): Promise<void> {
    const first = new Promise<void>((resolve) => {
      this.#onFirst = resolve;
    });
    void this.#run();
    return first;
  }

  /** Nothing is told afterwards. */
  stop(): void {
    this.#end.come();
    this.#closeWatch();
    this.#onFirst();
  }

  async #run(): Promise<void> {
    while (!this.#end.hasCome) {
      let isRefresh = false;
      try {
        await this.#list();
        isRefresh = await this.#follow();
      } catch (error) {
        this.#failed(error as Error);
      }
      this.#onFirst();
      this.#failures = isRefresh ? 0 : this.#failures + 1;
      if (!isRefresh) await this.#pause();
    }
  }

  async #list(): Promise<void> {
    const listing = await this.#options.client.list(this.#options.prefix, HELD_KEYS_MAX);
    if (this.#end.hasCome) return;
    const isFirst = !this.#isListed;
    this.#isListed = true;
    this.#take(relisted(this.#held, listing), isFirst);
    this.#onFirst();
  }

  /** Whether it has lasted until the next list was due. */
  async #follow(): Promise<boolean> {
    const watch = await this.#options.client.watch(this.#options.prefix, this.#held.revision + 1);
    this.#closeWatch = watch.close;
    if (this.#end.hasCome) watch.close();
    let isDue = false;
    const cancel = this.#options.clock.after(this.#refreshMs(), () => {
      isDue = true;
      watch.close();
    });
    try {
      for await (const message of watch.messages) this.#hear(message);
    } finally {
      cancel();
      watch.close();
    }
    return isDue;
  }

  #hear(message: WatchMessage): void {
    if (this.#end.hasCome) return;
    if (message.type === 'canceled') return this.#canceled(message);
    this.#recovered();
    if (message.type === 'events') this.#take(advanced(this.#held, message.events, message.revision));
  }

  /** Compaction is no failure: the next list has all. */
  #canceled({ compactRevision, reason }: Extract<WatchMessage, { type: 'canceled' }>): void {
    if (compactRevision === 0) throw new EtcdFailure('refused', `etcd has canceled a watch: ${reason}`);
  }

  #take({ held, changes }: Step, isFirst = false): void {
    this.#held = held;
    if (isFirst || changes.length > 0) this.#options.onChange(held, changes);
  }

  #failed(error: Error): void {
    if (this.#told === error.message || this.#end.hasCome) return;
    this.#told = error.message;
    this.#options.onFailure(error, this.#held.items.size);
  }

  /** Only a watch that has begun ends an outage: where lists succeed and watches fail it goes on. */
  #recovered(): void {
    if (this.#told === null) return;
    this.#told = null;
    this.#options.onRecovery();
  }

  #refreshMs(): number {
    const { refreshMs, chance } = this.#options;
    return refreshMs * (1 + mirrorLimits.refreshJitter * (2 * chance() - 1));
  }

  async #pause(): Promise<void> {
    const { retryMsMin, retryMsMax } = mirrorLimits;
    const mostMs = Math.min(retryMsMin * 2 ** (this.#failures - 1), retryMsMax);
    const { clock, chance } = this.#options;
    let cancel = () => {};
    const over = new Promise<void>((resolve) => {
      cancel = clock.after(mostMs * (1 - chance() / 2), resolve);
    });
    await this.#end.before(over);
    cancel();
  }
}
