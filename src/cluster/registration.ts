/**
 * This node among others: its key `PREFIX/nodes/ID` under a lease, which is kept alive, granted again when it is lost, and
 * revoked at the end. An id that another living node has is not taken over. Further keys live and end with it.
 */
import type { Clock } from '../base/clock.js';
import { LifeEnd } from '../base/life-end.js';
import type { EtcdClient } from './etcd/client.js';
import { EtcdFailure } from './etcd/failure.js';
import { type NodeRecord, nodeKey, parseNode } from './nodes.js';

export const registrationLimits = {
  /** Keys beside the node's own. */
  keysMax: 4096,
  /** Keep-alives in the time a lease lives: two may be lost. */
  keepAlivesPerTtl: 3,
  /** After a failure; doubles up to the interval of keep-alives, less up to a half by chance. */
  retryMsMin: 250,
} as const;

export interface RegistrationOptions {
  readonly client: Pick<EtcdClient, 'grant' | 'keepAlive' | 'revoke' | 'put' | 'delete' | 'transact'>;
  readonly prefix: string;
  /** Seconds that the key outlives a node that died. */
  readonly ttlS: number;
  /** What the key says, asked for at each keep-alive; `instance` and `id` stay. */
  readonly describe: () => NodeRecord;
  /** Of the process before this one, which has given it on. */
  readonly lease?: string | null;
  readonly clock: Clock;
  /** 0 to below 1. */
  readonly chance: () => number;
  /** In an outage once for each reason that follows another. */
  readonly onFailure: (error: Error) => void;
  /** It is registered: the first time, and after an outage. */
  readonly onRegistered: () => void;
}

export class Registration {
  readonly #options: RegistrationOptions;
  readonly #end = new LifeEnd();
  #lease: string | null;
  /** What the key has; empty: nothing of ours. */
  #written = '';
  /** Of the key when it was written. */
  #revision = 0;
  /** Further keys under the lease; null: to be deleted. */
  readonly #kept = new Map<string, string | null>();
  /** Those of them that are not in etcd as they are here. */
  readonly #unwritten = new Set<string>();
  #renewedMs = Number.NEGATIVE_INFINITY;
  #wake: () => void = () => {};
  #failures = 0;
  /** What was told last: the reason of a failure, or that it is registered; null: nothing. */
  #told: { readonly failure: string } | 'registered' | null = null;
  #running: Promise<void> = Promise.resolve();

  constructor(options: RegistrationOptions) {
    this.#options = options;
    this.#lease = options.lease ?? null;
  }

  get isRegistered(): boolean {
    return this.#written !== '';
  }

  /** Null: none is known to live. */
  get lease(): string | null {
    return this.#lease;
  }

  /**
   * A further key that lives with the node: written soon, and again when the lease has to be granted again; null deletes it.
   * Of more than `keysMax` none is taken.
   */
  keep(key: string, value: string | null): void {
    if (!this.#kept.has(key) && this.#kept.size >= registrationLimits.keysMax) return;
    this.#kept.set(key, value);
    this.#unwritten.add(key);
    if (this.isRegistered && this.#failures === 0) this.#wake();
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Another process goes on with the lease. */
  release(): void {
    this.#end.come();
    this.#lease = null;
  }

  /** Revokes the lease, so that others know at once. Rejects never: a lease that can not be revoked expires. */
  async stop(): Promise<void> {
    this.#end.come();
    await this.#running;
    const lease = this.#lease;
    this.#lease = null;
    this.#written = '';
    if (lease !== null) await this.#options.client.revoke(lease).catch(() => {});
  }

  async #run(): Promise<void> {
    while (!this.#end.hasCome) {
      try {
        if (this.#leftMs() <= 0) await this.#renew();
        await this.#writeKept();
        this.#failures = 0;
        this.#succeeded();
      } catch (error) {
        this.#failures += 1;
        this.#failed(error as Error);
      }
      await this.#pause();
    }
  }

  /** A lease that lives, and under it what the node says now. */
  async #renew(): Promise<void> {
    const { client, ttlS } = this.#options;
    if (this.#lease !== null && (await client.keepAlive(this.#lease)) === null) this.#forget();
    if (this.#end.hasCome) return;
    if (this.#lease === null) this.#lease = (await client.grant(ttlS)).id;
    const record = this.#options.describe();
    const text = JSON.stringify(record);
    if (text !== this.#written || !(await this.#stands(record))) {
      const lease = this.#lease;
      this.#revision = await this.#unlessExpired(() => this.#write(record, text, lease));
      this.#written = text;
    }
    this.#renewedMs = this.#options.clock.nowMs();
  }

  async #writeKept(): Promise<void> {
    const { client } = this.#options;
    for (const key of this.#unwritten) {
      const [value, lease] = [this.#kept.get(key) ?? null, this.#lease];
      if (this.#end.hasCome || lease === null) return;
      if (value === null) await client.delete(key);
      else await this.#unlessExpired(() => client.put(key, value, lease));
      // It may have been given another value meanwhile.
      if ((this.#kept.get(key) ?? null) !== value) continue;
      this.#unwritten.delete(key);
      if (value === null) this.#kept.delete(key);
    }
  }

  /** The lease may expire between two calls. */
  async #unlessExpired<Answer>(write: () => Promise<Answer>): Promise<Answer> {
    try {
      return await write();
    } catch (error) {
      if (error instanceof EtcdFailure && error.kind === 'missing') this.#forget();
      throw error;
    }
  }

  /** The key is as we have written it: nobody has deleted it or written over it. */
  async #stands({ id }: NodeRecord): Promise<boolean> {
    const key = nodeKey(this.#options.prefix, id);
    const { succeeded } = await this.#options.client.transact([{ key, modRevision: this.#revision }], []);
    return succeeded;
  }

  /** The key's revision. Whoever holds the key keeps it as long as its lease lives; the key of this very process is written over. */
  async #write(record: NodeRecord, text: string, lease: string): Promise<number> {
    const { client, prefix } = this.#options;
    const key = nodeKey(prefix, record.id);
    const put = { put: key, value: text, lease };
    const created = await client.transact([{ key, exists: false }], [put], [{ get: key }]);
    if (created.succeeded) return created.revision;
    const item = created.found[0]?.items[0];
    const owner = item === undefined ? null : parseNode(prefix, item.key, item.value);
    if (owner !== null && 'node' in owner && owner.node.instance !== record.instance)
      throw new EtcdFailure('refused', takenWords(owner.node));
    const { succeeded, revision } = await client.transact(
      [{ key, modRevision: item?.modRevision ?? 0 }],
      [put],
    );
    if (!succeeded)
      throw new EtcdFailure('refused', `the key ${key} changes under our hands; it is tried again`);
    return revision;
  }

  /** What was under the lease is gone with it. */
  #forget(): void {
    this.#lease = null;
    this.#written = '';
    this.#renewedMs = Number.NEGATIVE_INFINITY;
    for (const key of this.#kept.keys()) this.#unwritten.add(key);
  }

  /** Until the next keep-alive. */
  #leftMs(): number {
    const { clock, ttlS } = this.#options;
    return this.#renewedMs + (ttlS * 1000) / registrationLimits.keepAlivesPerTtl - clock.nowMs();
  }

  #succeeded(): void {
    if (this.#told !== 'registered' && !this.#end.hasCome) this.#options.onRegistered();
    this.#told = 'registered';
  }

  #failed(error: Error): void {
    const isTold = typeof this.#told === 'object' && this.#told?.failure === error.message;
    if (!isTold && !this.#end.hasCome) this.#options.onFailure(error);
    this.#told = { failure: error.message };
  }

  async #pause(): Promise<void> {
    if (this.#failures === 0 && this.#unwritten.size > 0) return;
    const { clock, chance, ttlS } = this.#options;
    const usualMs = (ttlS * 1000) / registrationLimits.keepAlivesPerTtl;
    const retryMs = registrationLimits.retryMsMin * 2 ** (this.#failures - 1);
    const ms =
      this.#failures === 0 ? Math.max(0, this.#leftMs()) : Math.min(retryMs, usualMs) * (1 - chance() / 2);
    let cancel = () => {};
    const over = new Promise<void>((resolve) => {
      cancel = clock.after(ms, resolve);
      this.#wake = resolve;
    });
    await this.#end.before(over);
    cancel();
  }
}

const takenWords = ({ id, address }: NodeRecord): string =>
  `another node has the id \`${id}\`${address === '' ? '' : ` (${address})`}: give each node a node_id of its own; after a restart the old key lives for one ttl`;
