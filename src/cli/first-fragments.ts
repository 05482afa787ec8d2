/** What fragments in etcd say already when the daemon starts, or did when it ran last. */
import { askFragments } from '../cluster/ask-fragments.js';
import type { DistributedConfig } from '../model/distributed.js';
import type { Contribution, WrittenFragment } from '../providers/contribution.js';
import { createSystemResolver } from '../providers/resolver.js';

/** `users`: beside root and this process's, whose file is believed. */
export async function firstFragments(
  distributed: DistributedConfig,
  users: readonly number[],
): Promise<Contribution<WrittenFragment>> {
  const { lookup } = createSystemResolver();
  const fragments = await askFragments(distributed, users, async (host) => (await lookup(host)).value);
  return { provider: 'etcd', fragments: fragments.map(({ from, text }) => ({ from, text })) };
}
