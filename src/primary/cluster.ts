/**
 * This node among others, as a part of the daemon: its link to etcd follows `distributed`, its services are there for
 * endpoints, and it is registered while this process has the sockets. Without etcd everything goes on with what was known.
 */
import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../base/clock.js';
import type { Logger } from '../base/log.js';
import { Directories } from '../cluster/directories.js';
import type { LookUp } from '../cluster/etcd/transport.js';
import { type Follower, Link } from '../cluster/link.js';
import type { NodeRecord } from '../cluster/nodes.js';
import { readState, type State, StateFile } from '../cluster/state-file.js';
import type { ClusterStatus } from '../model/cluster-status.js';
import type { Config } from '../model/config.js';
import type { DistributedConfig } from '../model/distributed.js';
import type { ServiceDirectory } from '../model/service-directory.js';
import type { Part, Prepared } from './part.js';

export const clusterLimits = {
  /** Instances left out that the status names. */
  leftOutShown: 16,
} as const;

/** What makes a process the node that it is, passed on in an upgrade. */
export interface Membership {
  readonly instance: string;
  /** Null: none is known to live. */
  readonly lease: string | null;
}

/** What of the daemon takes part, once it is there. */
export interface Members {
  /** Sessions open now. */
  readonly sessions: () => number;
  readonly followers: readonly Follower[];
}

export interface ClusterParts {
  readonly version: string;
  /** Of the process before this one. */
  readonly membership?: Membership | undefined;
  readonly lookUp: LookUp;
  readonly clock: Clock;
  readonly log: Pick<Logger, 'info' | 'warn'>;
}

export class Cluster implements Part {
  readonly #parts: ClusterParts;
  readonly #directories: Directories;
  readonly #startedMs = Date.now();
  readonly #instance: string;
  #members: Members = { sessions: () => 0, followers: [] };
  /** To go on with, once. */
  #lease: string | null;
  #link: Link | null = null;
  #stateFile: { readonly path: string; readonly file: StateFile } | null = null;
  #isNode = false as boolean;
  #isClosed = false as boolean;
  /** What still ends of links that were. */
  #ending: Promise<unknown> = Promise.resolve();

  constructor(parts: ClusterParts) {
    const { clock, membership } = parts;
    this.#parts = parts;
    this.#directories = new Directories(clock);
    this.#instance = membership?.instance ?? randomUUID();
    this.#lease = membership?.lease ?? null;
  }

  get directory(): ServiceDirectory {
    return this.#directories;
  }

  /** For the process that follows in an upgrade. */
  get membership(): Membership {
    return { instance: this.#instance, lease: this.#link?.lease ?? null };
  }

  /** Null: this node is alone. What followers do is theirs to say. */
  get status(): Omit<ClusterStatus, 'fragments'> | null {
    return this.#link && statusOf(this.#link);
  }

  /** Before `begin`. */
  attach(members: Members): void {
    this.#members = members;
  }

  async prepare({ distributed }: Pick<Config, 'distributed'>): Promise<Prepared> {
    if (isDeepStrictEqual(distributed, this.#link?.config ?? null))
      return { commit: () => {}, discard: () => {} };
    const stateFile = distributed && (await this.#stateFileOf(distributed));
    const link = distributed && this.#open(distributed, stateFile?.state);
    link?.start();
    this.#directories.prepare(link?.directory ?? null);
    return {
      commit: () => this.#turn(link, stateFile?.own ?? null),
      discard: () => {
        this.#directories.discard();
        void link?.stop();
      },
    };
  }

  /** This process has the sockets: it is the node. */
  begin(): void {
    this.#isNode = true;
    if (this.#link !== null) this.#join(this.#link);
  }

  /** Another process goes on as this node. */
  release(): void {
    this.#end(true);
  }

  /** Others are told at once that this node takes no more; services are known on. */
  leave(): void {
    if (!this.#isNode || this.#link === null) return;
    this.#isNode = false;
    this.#after(this.#link.leave());
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#end(false);
  }

  /** Resolves when this node has left, or is late with it. Rejects never. */
  get ended(): Promise<unknown> {
    return this.#ending;
  }

  #open(config: DistributedConfig, state: State | undefined): Link {
    const { clock, log, lookUp } = this.#parts;
    return new Link({
      ...{ config, clock, lookUp, chance: Math.random },
      known: (prefix) => this.#link?.heldOf(prefix) ?? state?.get(prefix),
      log: {
        info: (fields, message) => log.info(fields, message),
        warn: (fields, message) => log.warn(fields, message),
      },
    });
  }

  async #stateFileOf({ stateFile: path }: DistributedConfig) {
    if (path === null) return null;
    if (path === this.#stateFile?.path) return { own: this.#stateFile, state: undefined };
    const { clock, log } = this.#parts;
    const read = await readState(path, []);
    if ('fault' in read) log.warn(`distributed.state_file: ${path} is not used: ${read.fault}`);
    const state = 'state' in read ? read.state : new Map();
    const onError = (error: string | null) => {
      if (error === null) log.info({ file: path }, 'the state of the cluster is written again');
      else log.warn({ file: path, error }, 'the state of the cluster can not be written');
    };
    return { own: { path, file: new StateFile({ path, clock, onError }, state) }, state };
  }

  #turn(link: Link | null, stateFile: { readonly path: string; readonly file: StateFile } | null): void {
    const before = this.#link;
    this.#link = link;
    this.#directories.commit(link?.directory ?? null);
    const isGivenOn = before !== null && link !== null && isSameNode(before.config, link.config);
    if (isGivenOn) this.#lease = before.lease;
    if (before !== null) this.#after(before.stop(isGivenOn));
    if (this.#stateFile !== stateFile && this.#stateFile !== null) this.#after(this.#stateFile.file.close());
    this.#stateFile = stateFile;
    link?.saveTo(stateFile?.file ?? null);
    if (this.#isClosed) return this.#end(false);
    if (!this.#isNode) return;
    if (link === null) this.#tell(null);
    // The node leaves the link before first, unless it goes on: under one id it can not be there twice.
    else void this.#ending.then(() => link === this.#link && this.#isNode && this.#join(link));
  }

  #join(link: Link): void {
    link.join(() => this.#describe(link.config), this.#lease);
    this.#lease = null;
    this.#tell(link);
  }

  #describe({ nodeId, advertise }: DistributedConfig): NodeRecord {
    const { version } = this.#parts;
    return {
      ...{ id: nodeId, address: advertise ?? '', version, load: this.#members.sessions() },
      ...{ instance: this.#instance, startedMs: this.#startedMs },
    };
  }

  #end(isGivenOn: boolean): void {
    this.#isNode = false;
    const link = this.#link;
    this.#link = null;
    this.#tell(null);
    if (link !== null) this.#after(link.stop(isGivenOn));
    if (this.#stateFile !== null) this.#after(this.#stateFile.file.close());
    this.#stateFile = null;
  }

  #tell(link: Link | null): void {
    for (const follower of this.#members.followers) follower.follow(link);
  }

  #after(work: Promise<unknown>): void {
    this.#ending = Promise.all([this.#ending, work]);
  }
}

/** Only the way to etcd is another one, such as a certificate or a password that was renewed: nobody need see the node go. */
function isSameNode(one: DistributedConfig, other: DistributedConfig): boolean {
  const itself = ({ endpoints: _, tls: __, user: ___, ...rest }: DistributedConfig) => rest;
  return (
    one.endpoints.some((endpoint) => other.endpoints.includes(endpoint)) &&
    isDeepStrictEqual(itself(one), itself(other))
  );
}

function statusOf(link: Link): Omit<ClusterStatus, 'fragments'> {
  const { config, troubles, directory } = link;
  const trouble = troubles.first;
  return {
    node: config.nodeId,
    registered: link.isRegistered,
    connected: link.isCurrent,
    error: trouble && `${trouble.what}: ${trouble.error}`,
    outages: troubles.outages,
    revision: link.revision,
    nodes: link.nodes.all.map(({ id }) => id),
    services: [...(directory?.services ?? [])].map(([name, instances]) => ({
      name,
      instances: instances.length,
    })),
    leftOut: (directory?.faults ?? []).slice(0, clusterLimits.leftOutShown),
  };
}
