/** Fragments of the configuration for a start: as etcd has them now, or as they are kept on disk when it does not answer in time. */
import type { DistributedConfig } from '../model/distributed.js';
import { EtcdClient } from './etcd/client.js';
import { HELD_KEYS_MAX, type Held, NOTHING_HELD, relisted } from './etcd/held.js';
import type { LookUp } from './etcd/transport.js';
import { type FragmentsRead, fragmentsPrefix, readFragments } from './fragments.js';
import { readState } from './state-file.js';

export const askLimits = {
  /** For an answer. */
  answerMs: 2000,
} as const;

export interface AskedFragments extends FragmentsRead {
  /** Why etcd has not answered, and where these are from then; null: they are what it has. */
  readonly outage: { readonly why: string; readonly isKept: boolean } | null;
}

/** `users`: beside root and this process's, whose state is believed. Rejects never. */
export async function askFragments(
  config: DistributedConfig,
  users: readonly number[],
  lookUp: LookUp,
): Promise<AskedFragments> {
  const { endpoints, tls, user, watchPrefix, stateFile } = config;
  if (watchPrefix === null) return { fragments: [], refused: [], outage: null };
  const prefix = fragmentsPrefix(watchPrefix);
  let held = await keptIn(stateFile, users, prefix);
  let outage: AskedFragments['outage'] = null;
  const client = new EtcdClient({
    ...{ endpoints, lookUp, callMs: askLimits.answerMs },
    ...(tls && { tls }),
    ...(user && { user }),
  });
  try {
    held = relisted(held, await client.list(prefix, HELD_KEYS_MAX)).held;
  } catch (error) {
    // What was kept is the last good state.
    outage = { why: (error as Error).message, isKept: held !== NOTHING_HELD };
  } finally {
    client.close();
  }
  return { ...readFragments(watchPrefix, held.items.values()), outage };
}

async function keptIn(stateFile: string | null, users: readonly number[], prefix: string): Promise<Held> {
  const read = stateFile === null ? null : await readState(stateFile, users);
  return (read !== null && 'state' in read && read.state.get(prefix)) || NOTHING_HELD;
}
