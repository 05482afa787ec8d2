/** What this node shares with the others of its cluster: what its checks find, and whom it has banned. */
import { systemClock } from '../base/clock.js';
import { type Logger, rateLimited } from '../base/log.js';
import type { Follower } from '../cluster/link.js';
import { SharedBans } from '../cluster/shared-bans.js';
import { SharedHealth } from '../cluster/shared-health.js';
import type { Monitor } from '../health/monitor.js';
import type { Bans } from './bans/index.js';

/** Log lines a second about what others have written. */
const LINES_PER_SECOND = 10;

export interface SharingParts {
  readonly monitor: Pick<Monitor, 'verdicts' | 'hear'>;
  readonly bans: Pick<Bans, 'own' | 'learn'>;
  readonly log: Pick<Logger, 'warn'>;
}

export interface Shared {
  readonly followers: readonly Follower[];
  /** Values of other nodes that were not taken so far, by reason. */
  readonly refusedBans: SharedBans['refused'];
}

export function shareWith({ monitor, bans, log }: SharingParts): Shared {
  const write = (fields: object, message: string) => log.warn(fields, message);
  const warn = rateLimited(write, LINES_PER_SECOND, () => systemClock.nowMs());
  const health = new SharedHealth({
    own: (allowLoopback) => monitor.verdicts(allowLoopback),
    changed: (votes) => monitor.hear(votes),
    warn,
  });
  const sharedBans = new SharedBans({
    own: () => bans.own,
    learned: (node, notes) => bans.learn(node, notes),
    warn,
  });
  return { followers: [health, sharedBans], refusedBans: sharedBans.refused };
}
