/** Options of upstreams that act on another one, which is not there. */
import { type StrategyName, strategies, strategyNames } from '../../upstream/balance/index.js';
import { isMapping } from '../path.js';
import type { Warn } from '../report.js';
import type { UpstreamEntry } from '../schema/upstreams.js';
import type { Source } from '../source.js';
import type { Shape } from './shape.js';

interface Orphan {
  readonly key: keyof UpstreamEntry;
  readonly acts: (upstream: UpstreamEntry) => boolean;
  /** What it needs. */
  readonly needs: string;
}

const hashing = strategyNames.filter((name) => strategies[name].hashes);

const ORPHANS: readonly Orphan[] = [
  {
    key: 'hash_key',
    acts: ({ balance }) => strategies[balance as StrategyName].hashes,
    needs: hashing.map((name) => `\`balance: ${name}\``).join(' or '),
  },
  {
    key: 'on_down',
    acts: ({ on_down, health_check }) => on_down === 'keep' || health_check !== undefined,
    needs: '`health_check`',
  },
];

export function warnOfOrphanedOptions({ upstreams }: Shape, { value: file }: Source, warn: Warn): void {
  const written = isMapping(file) && isMapping(file.upstreams) ? file.upstreams : {};
  for (const { path, value } of upstreams) {
    const own = written[String(path.at(-1))];
    // A handler has no endpoints: what is about them is told of as a whole.
    if (value.handler !== undefined || !isMapping(own)) continue;
    for (const { key, acts, needs } of ORPHANS)
      if (key in own && !acts(value)) warn([...path, key], `has no effect without ${needs}`);
  }
}
