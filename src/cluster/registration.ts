/**
 * This node among others: its key `PREFIX/nodes/ID` under a lease, which is kept alive, granted again when it is lost, and
 * revoked at the end. An id that another living node has is not taken over.
 */
import type { Clock } from '../base/clock.js';
import { LifeEnd } from '../base/life-end.js';
import type { EtcdClient } from './etcd/client.js';
import { EtcdFailure } from './etcd/failure.js';
import { type NodeRecord, nodeKey, parseNode } from './nodes.js';

export const registrationLimits = {
  /** Keep-alives in the time a lease lives: two may be lost. */
  keepAlivesPerTtl: 3,
  /** After a failure; doubles up to the interval of keep-alives, less up to a half by chance. */
  retryMsMin: 250,
} as const;

export interface RegistrationOptions {
  readonly client: Pick<EtcdClient, 'grant' | 'keepAlive' | 'revoke' | 'put' | 'transact'>;
  readonly prefix: string;
  /** Seconds that the key outlives a node that died. */
  readonly ttlS: number;
  /** What the key says, asked for at each keep-alive; `instance` and `id` stay. */
  readonly describe: () => NodeRecord;
  readonly clock: Clock;
  /** 0 to below 1. */
  readonly chance: () => number;
  /** Once an outage. */
  readonly onFailure: (error: string) => void;
  /** It is registered: the first time, and after an outage that was told. */
  readonly onRegistered: () => void;
}

export class Registration {
  readonly #options: RegistrationOptions;
  readonly #end = new LifeEnd();
  #lease: string | null = null;
  /** What the key has; empty: nothing of ours. */
  #written = '';
  /** Of the key when it was written. */
  #revision = 0;
  #failures = 0;
  /** Neither success nor failure has been told, or which one was the last. */
  #told: 'nothing' | 'registered' | 'failing' = 'nothing';
  #running: Promise<void> = Promise.resolve();

  constructor(options: RegistrationOptions) {
    this.#options = options;
  }

  get isRegistered(): boolean {
    return this.#written !== '';
  }

  start(): void {
    this.#running = this.#run();
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
        await this.#renew();
        this.#failures = 0;
        this.#succeeded();
      } catch (error) {
        this.#failures += 1;
        this.#failed((error as Error).message);
      }
      await this.#pause();
    }
  }

  /** A lease that lives, and under it what the node says now. */
  async #renew(): Promise<void> {
    const { client, ttlS } = this.#options;
    if (this.#lease !== null && (await client.keepAlive(this.#lease)) === null) this.#forget();
    if (this.#lease === null) this.#lease = (await client.grant(ttlS)).id;
    const record = this.#options.describe();
    const text = JSON.stringify(record);
    if (text === this.#written && (await this.#stands(record))) return;
    try {
      this.#revision = await this.#write(record, text, this.#lease);
      this.#written = text;
    } catch (error) {
      // It has expired between the two calls.
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

  #forget(): void {
    this.#lease = null;
    this.#written = '';
  }

  #succeeded(): void {
    if (this.#told !== 'registered' && !this.#end.hasCome) this.#options.onRegistered();
    this.#told = 'registered';
  }

  #failed(error: string): void {
    if (this.#told !== 'failing' && !this.#end.hasCome) this.#options.onFailure(error);
    this.#told = 'failing';
  }

  async #pause(): Promise<void> {
    const { clock, chance, ttlS } = this.#options;
    const usualMs = (ttlS * 1000) / registrationLimits.keepAlivesPerTtl;
    const retryMs = registrationLimits.retryMsMin * 2 ** (this.#failures - 1);
    const ms = this.#failures === 0 ? usualMs : Math.min(retryMs, usualMs) * (1 - chance() / 2);
    let cancel = () => {};
    const over = new Promise<void>((resolve) => {
      cancel = clock.after(ms, resolve);
    });
    await this.#end.before(over);
    cancel();
  }
}

const takenWords = ({ id, address }: NodeRecord): string =>
  `another node has the id \`${id}\`${address === '' ? '' : ` (${address})`}: give each node a node_id of its own; after a restart the old key lives for one ttl`;
