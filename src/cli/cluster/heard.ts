/** When etcd has last heard of each registered node: by what is left of its lease, so no clock is compared with another. */
import type { EtcdClient } from '../../cluster/etcd/client.js';
import { EtcdFailure } from '../../cluster/etcd/failure.js';
import { nodesPrefix } from '../../cluster/live-nodes.js';
import { parseNode } from '../../cluster/nodes.js';
import { sharedHealthLimits } from '../../cluster/shared-health.js';
import type { DistributedConfig } from '../../model/distributed.js';

/** Seconds ago, by id, in the order of ids; null: not known. Only nodes whose verdicts count. */
export type Heard = ReadonlyMap<string, number | null>;

export async function askHeard(client: EtcdClient, { prefix }: DistributedConfig): Promise<Heard> {
  const { items } = await client.list(nodesPrefix(prefix), sharedHealthLimits.nodesMax);
  const asked = items.map(async ({ key, value, lease }) => {
    const parsed = parseNode(prefix, key, value);
    return 'node' in parsed ? ([[parsed.node.id, await agoS(client, lease)]] as const) : [];
  });
  return new Map((await Promise.all(asked)).flat());
}

async function agoS(client: EtcdClient, lease: string | undefined): Promise<number | null> {
  if (lease === undefined) return null;
  try {
    const life = await client.timeToLive(lease);
    return life && life.grantedS - life.leftS;
  } catch (error) {
    // Not every user may ask, and what is asked for is said without it, too.
    if (error instanceof EtcdFailure && error.kind === 'denied') return null;
    throw error;
  }
}
