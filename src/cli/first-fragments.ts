/** What fragments in etcd say already when the daemon starts, or did when it ran last. */
import { askFragments } from '../cluster/ask-fragments.js';
import { unplaced } from '../config/report.js';
import type { DistributedConfig } from '../model/distributed.js';
import type { Contribution, WrittenFragment } from '../providers/contribution.js';
import { createSystemResolver } from '../providers/resolver.js';
import type { Lack } from './aside.js';

/**
 * `users`: beside root and this process's, whose file is believed. The daemon says what it lacks, and why,
 * when it asks again.
 */
export async function firstFragments(
  distributed: DistributedConfig,
  users: readonly number[],
  lack: Lack = () => {},
): Promise<Contribution<WrittenFragment>> {
  const { lookup } = createSystemResolver();
  const asked = await askFragments(distributed, users, async (host) => (await lookup(host)).value);
  const { fragments, refused, outage } = asked;
  if (outage !== null) {
    const instead = outage.isKept ? 'fragments as distributed.state_file has them' : 'without fragments';
    lack(unplaced(`${instead}: ${outage.why}`));
  }
  for (const { from, fault } of refused) lack({ ...unplaced(fault), file: `etcd: ${from}` });
  return { provider: 'etcd', fragments: fragments.map(({ from, text }) => ({ from, text })) };
}
