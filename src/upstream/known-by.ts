/** What sessions must have said before an endpoint can be picked for them. */
import type { UpstreamOptions } from '../model/upstream-options.js';
import { type StrategyName, strategies } from './balance/index.js';
import { factOf, type KeyName } from './key.js';

/** Facts that clients of an upstream are known by, for its hash or its affinity; none: it needs no byte of them. */
export function factsKnownBy({
  balance,
  hash_key,
  affinity,
}: Pick<UpstreamOptions, 'balance' | 'hash_key' | 'affinity'>): readonly string[] {
  const { hashes } = strategies[balance as StrategyName];
  const keys = [...(affinity === 'off' ? [] : [affinity]), ...(hashes ? [hash_key] : [])];
  return keys.flatMap((key) => factOf(key as KeyName) ?? []);
}
