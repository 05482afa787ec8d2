/**
 * One connection to the etcd of a cluster, which all of this node shares: the client, what is kept current of its keys, and
 * the node's lease. Another `distributed` in the configuration is another link.
 */
import type { Clock } from '../base/clock.js';
import type { DistributedConfig } from '../model/distributed.js';
import { Directory } from './directory.js';
import { EtcdClient } from './etcd/client.js';
import type { Change, Held } from './etcd/held.js';
import { Mirror, type MirrorOptions } from './etcd/mirror.js';
import type { LookUp } from './etcd/transport.js';
import { type LiveNodes, nodesPrefix, ReadNodes } from './live-nodes.js';
import type { NodeRecord } from './nodes.js';
import { Registration } from './registration.js';
import { servicesPrefix } from './services.js';
import type { StateFile } from './state-file.js';
import { Troubles } from './troubles.js';

export const linkLimits = {
  /** For etcd to take back the lease at the end; else it expires. */
  leaveMs: 1000,
} as const;

export interface LinkOptions {
  readonly config: DistributedConfig;
  readonly clock: Clock;
  /** 0 to below 1. */
  readonly chance: () => number;
  /** Of names in the endpoints; absent: as Node.js does. */
  readonly lookUp?: LookUp;
  /** What was known of a prefix: by the link before, or by the state on disk. */
  readonly known: (prefix: string) => Held | undefined;
  readonly log: {
    readonly info: (fields: object, message: string) => void;
    readonly warn: (fields: object, message: string) => void;
  };
}

export interface MirrorWish {
  /** A word for messages: `services`. */
  readonly what: string;
  readonly prefix: string;
  /** Is not written to the state: changes all the time, and is soon old. */
  readonly isVolatile?: boolean;
  /** Also at once, when something was known before. */
  readonly onChange: (held: Held, changes: readonly Change[]) => void;
}

/** Something else of this node that follows the cluster. */
export interface Follower {
  /**
   * From now on by this link: the daemon serves, or `distributed` has changed. Null: no more. Mirrors and keys of the link
   * before end by themselves; what was known stays the follower's, as the last good state.
   */
  follow(link: Link | null): void;
}

interface Mirrored {
  readonly prefix: string;
  readonly isVolatile: boolean;
  readonly mirror: Pick<Mirror, 'held' | 'isListed' | 'isFailing' | 'stop'>;
}

export class Link {
  readonly config: DistributedConfig;
  readonly client: EtcdClient;
  readonly clock: Clock;
  readonly #options: LinkOptions;
  readonly #troubles: Troubles;
  readonly #nodes: ReadNodes;
  readonly #mirrors: Mirrored[] = [];
  readonly #directory: Directory | null;
  #registration: Registration | null = null;
  #stateFile: Pick<StateFile, 'save'> | null = null;

  constructor(options: LinkOptions) {
    const { config, clock, lookUp } = options;
    const { endpoints, tls, user } = config;
    this.#options = options;
    this.config = config;
    this.clock = clock;
    this.client = new EtcdClient({
      endpoints,
      ...(tls && { tls }),
      ...(user && { user }),
      ...(lookUp && { lookUp }),
    });
    this.#troubles = new Troubles({
      onFailure: (what, error, fields) =>
        options.log.warn({ what, error, ...fields }, 'etcd can not be used: what was known last stays'),
      onRecovery: () => options.log.info({}, 'etcd can be used again'),
    });
    this.#nodes = new ReadNodes(config.prefix);
    this.#directory = config.discovers ? this.#openDirectory() : null;
  }

  /** Null: services are not looked up. */
  get directory(): Directory | null {
    return this.#directory;
  }

  get nodes(): LiveNodes {
    return this.#nodes;
  }

  get isRegistered(): boolean {
    return this.#registration?.isRegistered ?? false;
  }

  /** All that is kept current is so. */
  get isCurrent(): boolean {
    return (
      this.#mirrors.length > 0 && this.#mirrors.every(({ mirror }) => mirror.isListed && !mirror.isFailing)
    );
  }

  /** The newest of the store that was seen; 0: none. */
  get revision(): number {
    return Math.max(0, ...this.#mirrors.map(({ mirror }) => mirror.held.revision));
  }

  get troubles(): Pick<Troubles, 'first' | 'outages'> {
    return this.#troubles;
  }

  /** What is known of a prefix that is kept current. */
  heldOf(prefix: string): Held | undefined {
    const held = this.#mirrors.find((each) => each.prefix === prefix)?.mirror.held;
    return held?.revision === 0 ? undefined : held;
  }

  /** Begins to look for services. */
  start(): void {
    this.#directory?.start();
  }

  /** Makes this node known, and follows the others. `lease`: of the process before this one. */
  join(describe: () => NodeRecord, lease: string | null): void {
    const { clock, chance } = this.#options;
    const { prefix, ttlS } = this.config;
    const { client } = this;
    this.#registration = new Registration({
      ...{ client, prefix, ttlS, describe, lease, clock, chance },
      onFailure: (error) => this.#troubles.begin('registration', error),
      onRegistered: () => {
        this.#options.log.info({ node: this.config.nodeId }, 'registered in the cluster');
        this.#troubles.end('registration');
      },
    });
    this.#registration.start();
    const take = (held: Held) => this.#nodes.take(held);
    this.mirror({ what: 'nodes', prefix: nodesPrefix(prefix), isVolatile: true, onChange: take });
  }

  /** Keeps a prefix current until the link ends: begins with what was known of it, and writes what it has to the state. */
  mirror({ what, prefix, isVolatile = false, onChange }: MirrorWish): Mirror {
    const options = this.#mirrorOptions(what, prefix);
    const mirror = new Mirror({
      ...options,
      prefix,
      onChange: (held, changes) => {
        if (!isVolatile) this.#stateFile?.save(prefix, held);
        onChange(held, changes);
      },
    });
    this.#mirrors.push({ prefix, isVolatile, mirror });
    if (options.initial !== undefined) onChange(options.initial, []);
    void mirror.start();
    return mirror;
  }

  /** A key that lives with this node, as of Registration; before `join` none is kept. */
  keep(key: string, value: string | null): void {
    this.#registration?.keep(key, value);
  }

  /** The lease, with which another process goes on as this node. */
  get lease(): string | null {
    return this.#registration?.lease ?? null;
  }

  /** From now on what is known is written there; null: nowhere. */
  saveTo(file: Pick<StateFile, 'save'> | null): void {
    this.#stateFile = file;
    if (file === null) return;
    for (const { prefix, isVolatile, mirror } of this.#mirrors)
      if (mirror.isListed && !isVolatile) file.save(prefix, mirror.held);
  }

  /** This node is gone from the cluster at once. Rejects never, and takes `leaveMs` at most. */
  async leave(): Promise<void> {
    const registration = this.#registration;
    if (registration === null) return;
    let cancel = () => {};
    const late = new Promise<void>((resolve) => {
      cancel = this.clock.after(linkLimits.leaveMs, resolve);
    });
    await Promise.race([registration.stop(), late]);
    cancel();
  }

  /** Ends all of it. `isGivenOn`: another process has the lease; else this node leaves first. */
  async stop(isGivenOn = false): Promise<void> {
    for (const { mirror } of this.#mirrors) mirror.stop();
    this.#directory?.stop();
    this.#stateFile = null;
    if (isGivenOn) this.#registration?.release();
    else await this.leave();
    this.client.close();
  }

  #openDirectory(): Directory {
    const { prefix, allowLoopback } = this.config;
    const services = servicesPrefix(prefix);
    const directory = new Directory({
      ...this.#mirrorOptions('services', services),
      prefix,
      allowLoopback,
      onFaults: (faults, more) => {
        for (const fault of faults) this.#options.log.warn({}, `left out: etcd: ${fault}`);
        if (more > 0) this.#options.log.warn({ more }, 'left out: etcd: further instances of services');
      },
      onHeld: (_, held) => this.#stateFile?.save(services, held),
    });
    this.#mirrors.push({ prefix: services, isVolatile: false, mirror: directory });
    return directory;
  }

  #mirrorOptions(what: string, prefix: string): Omit<MirrorOptions, 'prefix' | 'onChange'> {
    const { clock, chance, known } = this.#options;
    const initial = known(prefix);
    return {
      ...{ client: this.client, clock, chance, refreshMs: this.config.refreshMs },
      ...(initial && { initial }),
      onFailure: (error, keeping) => this.#troubles.begin(what, error, { keeping }),
      onRecovery: () => this.#troubles.end(what),
    };
  }
}
