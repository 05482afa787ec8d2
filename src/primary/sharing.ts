/** What this node shares with the others of its cluster: what its checks find, whom it has banned, and limits. */
import { systemClock } from '../base/clock.js';
import { type Logger, rateLimited } from '../base/log.js';
import type { Follower } from '../cluster/link.js';
import { NodeCount } from '../cluster/node-count.js';
import { SharedBans } from '../cluster/shared-bans.js';
import { SharedHealth } from '../cluster/shared-health.js';
import type { Monitor } from '../health/monitor.js';
import type { Bans } from './bans/index.js';
import type { Names } from './names.js';

/** Log lines a second about what others have written. */
const LINES_PER_SECOND = 10;

export interface SharingParts {
  readonly monitor: Pick<Monitor, 'others'>;
  readonly bans: Pick<Bans, 'own' | 'learn'>;
  readonly names: Pick<Names, 'shareWith'>;
  readonly log: Pick<Logger, 'info' | 'warn'>;
}

export interface Shared {
  readonly followers: readonly Follower[];
  /** Values of other nodes that were not taken so far, by reason. */
  readonly refusedBans: SharedBans['refused'];
}

export function shareWith({ monitor, bans, names, log }: SharingParts): Shared {
  const write = (fields: object, message: string) => log.warn(fields, message);
  const warn = rateLimited(write, LINES_PER_SECOND, () => systemClock.nowMs());
  const health = new SharedHealth({
    own: (allowLoopback) => monitor.others.verdicts(allowLoopback),
    changed: (votes) => monitor.others.hear(votes),
    warn,
  });
  const sharedBans = new SharedBans({
    own: () => bans.own,
    learned: (node, notes) => bans.learn(node, notes),
    warn,
  });
  const count = new NodeCount((nodes) => {
    log.info({ nodes }, 'limits per source are divided by the nodes of the cluster');
    names.shareWith(nodes);
  });
  return { followers: [health, sharedBans, count], refusedBans: sharedBans.refused };
}
