/** What fragments in etcd say already when the daemon starts, or did when it ran last. */
import { askFragments } from '../cluster/ask-fragments.js';
import type { DistributedConfig } from '../model/distributed.js';
import type { Contribution, WrittenFragment } from '../providers/contribution.js';
import { createSystemResolver } from '../providers/resolver.js';

/**
 * `users`: beside root and this process's, whose file is believed. `tell`: what is left out, and why; the daemon says it
 * when it asks again.
 */
export async function firstFragments(
  distributed: DistributedConfig,
  users: readonly number[],
  tell: (words: string) => void = () => {},
): Promise<Contribution<WrittenFragment>> {
  const { lookup } = createSystemResolver();
  const asked = await askFragments(distributed, users, async (host) => (await lookup(host)).value);
  const { fragments, refused, outage } = asked;
  if (outage !== null) {
    const instead = outage.isKept ? 'fragments as distributed.state_file has them' : 'without fragments';
    tell(`${instead}: ${outage.why}`);
  }
  for (const { from, fault } of refused) tell(`left out: etcd: ${from}: ${fault}`);
  return { provider: 'etcd', fragments: fragments.map(({ from, text }) => ({ from, text })) };
}
