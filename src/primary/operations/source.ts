/** What the operations need of the daemon. */
import type { Health } from '../../admin/control.js';
import type { LogLine } from '../../base/log.js';
import type { MetricsText } from '../../metrics/registry.js';
import type { Totals } from '../../metrics/totals.js';
import type { ClusterStatus } from '../../model/cluster-status.js';
import type { ServerConfig } from '../../model/config.js';
import type { HealthStatus } from '../../model/health-status.js';
import type { ListStatus } from '../../model/list-status.js';
import type { EndpointOverride } from '../../model/overrides.js';
import type { Plan } from '../../model/plan.js';
import type { Settings } from '../../model/settings.js';
import type { Snapshot } from '../../model/snapshot.js';
import type { LiveSessions } from '../../plane/sessions.js';
import type { Bans } from '../bans/index.js';
import type { Changed } from '../reconfiguration.js';

export interface OperationsSource {
  readonly version: string;
  readonly startedAt: Date;
  readonly settings: Settings;
  readonly metrics: MetricsText;
  health(): Health;
  /** In force. */
  plan(): Plan;
  /** By endpoint id; null: there is no such endpoint. */
  healthOf(endpoint: number): HealthStatus | null;
  snapshot(): Snapshot;
  lists(): readonly ListStatus[];
  /** Null: this node is alone. */
  cluster(): ClusterStatus | null;
  totals(): Totals;
  readonly bans: Pick<Bans, 'list' | 'ban' | 'lift'>;
  readonly sessions: Pick<LiveSessions, 'list' | 'count' | 'end' | 'links'>;
  override(upstream: string, endpoint: string, change: Partial<EndpointOverride>): Promise<Changed>;
  /** In force. */
  server(): Pick<ServerConfig, 'drainDelayMs' | 'gracefulShutdownTimeoutMs'>;
  requestDrain(): boolean;
  readonly info: LogLine;
}
