/** Fragments of the configuration for a start: as etcd has them now, or as they are kept on disk when it does not answer in time. */
import type { DistributedConfig } from '../model/distributed.js';
import { EtcdClient } from './etcd/client.js';
import { HELD_KEYS_MAX, type Held, NOTHING_HELD, relisted } from './etcd/held.js';
import type { LookUp } from './etcd/transport.js';
import { fragmentsPrefix, type KeyFragment, readFragments } from './fragments.js';
import { readState } from './state-file.js';

export const askLimits = {
  /** For an answer. */
  answerMs: 2000,
} as const;

/**
 * Why there are none is said by the daemon, which asks again. `users`: beside root and this process's, whose state is
 * believed. Rejects never.
 */
export async function askFragments(
  config: DistributedConfig,
  users: readonly number[],
  lookUp: LookUp,
): Promise<readonly KeyFragment[]> {
  const { endpoints, tls, user, watchPrefix, stateFile } = config;
  if (watchPrefix === null) return [];
  const prefix = fragmentsPrefix(watchPrefix);
  let held = await keptIn(stateFile, users, prefix);
  const client = new EtcdClient({
    ...{ endpoints, lookUp, callMs: askLimits.answerMs },
    ...(tls && { tls }),
    ...(user && { user }),
  });
  try {
    held = relisted(held, await client.list(prefix, HELD_KEYS_MAX)).held;
  } catch {
    // What was kept is the last good state.
  } finally {
    client.close();
  }
  return readFragments(watchPrefix, held.items.values()).fragments;
}

async function keptIn(stateFile: string | null, users: readonly number[], prefix: string): Promise<Held> {
  const read = stateFile === null ? null : await readState(stateFile, users);
  return (read !== null && 'state' in read && read.state.get(prefix)) || NOTHING_HELD;
}
