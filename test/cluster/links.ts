/** Nodes of a cluster without daemons: a link each, and what follows it. */
import type { Clock } from '../../src/base/clock.js';
import { type Follower, Link } from '../../src/cluster/link.js';
import type { DistributedConfig } from '../../src/model/distributed.js';
import type { Etcd } from '../support/etcd.js';

/** Seconds; the least that etcd grants. */
export const TTL_S = 2;

export interface LinkedNode {
  readonly link: Link;
  /** From now on. */
  follow(follower: Follower): void;
  unfollow(): void;
  /** Something of etcd can not be followed now. */
  isFailing(): boolean;
  /** As a process that is stopped: its lease is not kept alive, and nothing is said. */
  hang(): void;
  leave(): Promise<void>;
}

export function linked(
  etcd: Etcd,
  nodeId: string,
  clock: Clock,
  more: Partial<DistributedConfig> = {},
): LinkedNode {
  const config: DistributedConfig = {
    ...{ nodeId, endpoints: etcd.endpoints, ttlS: TTL_S, refreshMs: 30_000, prefix: '/anyport' },
    ...{ advertise: null, tls: null, user: null, stateFile: null, allowLoopback: false },
    ...{
      sharesHealth: true,
      clusterKey: null,
      dividesLimits: false,
      discovers: false,
      watchPrefix: null,
      strategy: null,
    },
    ...more,
  };
  const log = { info: () => {}, warn: () => {} };
  const link = new Link({ config, clock, chance: Math.random, known: () => undefined, log });
  const record = { id: nodeId, address: '', version: '1.0.0', load: 0, instance: nodeId, startedMs: 0 };
  link.start();
  link.join(() => record, null);
  let follower: Follower | null = null;
  const unfollow = () => {
    follower?.follow(null);
    follower = null;
  };
  return {
    link,
    follow(next) {
      follower = next;
      next.follow(link);
    },
    unfollow,
    isFailing: () => link.troubles.first !== null,
    hang() {
      unfollow();
      void link.stop(true);
    },
    async leave() {
      unfollow();
      await link.stop();
    },
  };
}
