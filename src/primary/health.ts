/** Health of endpoints as the daemon runs it: what it reads, writes and tells. */
import { systemClock } from '../base/clock.js';
import type { Logger } from '../base/log.js';
import { Monitor } from '../health/monitor.js';
import type { Report } from '../model/report.js';
import type { DataPlane } from '../plane/data-plane.js';

export function createMonitor(
  plane: Pick<DataPlane, 'health' | 'endpointDown'>,
  log: Logger,
  report: ((reports: readonly Report[]) => void) | undefined,
): Monitor {
  return new Monitor({
    clock: systemClock,
    wallMs: Date.now,
    random: Math.random,
    table: plane.health,
    log: {
      info: (fields, message) => log.info(fields, message),
      warn: (fields, message) => log.warn(fields, message),
      error: (fields, message) => log.error(fields, message),
    },
    changed: ({ upstream, endpoint, why }) => {
      const state = why === null ? 'up' : 'down';
      report?.([{ type: 'endpoint', change: { upstream, endpoint, state, error: why } }]);
    },
    reset: (endpoint) => plane.endpointDown(endpoint),
  });
}
