/** SRV records as endpoints (RFC 2782). Pure. */
import { hostPort } from '../base/address.js';
import type { DiscoveredEndpoint } from '../model/config.js';
import { weightLimits } from '../model/overrides.js';
import { plain } from './resolver-files.js';

/** As `resolveSrv` of node:dns gives them. */
export interface ServiceRecord {
  readonly name: string;
  readonly port: number;
  /** The lowest is tried first. */
  readonly priority: number;
  /** 0..65535. */
  readonly weight: number;
}

/** Endpoints kept of one name. */
export const SERVICE_ENDPOINTS_MAX = 256;

/**
 * One endpoint for each target and port: those of the lowest priority are the main ones, all others backups. Weights are
 * scaled into the configuration's range, and never 0: such a target has little to do, not nothing. A target `.` says that the
 * service is not offered there.
 */
export function endpointsOf(records: readonly ServiceRecord[]): DiscoveredEndpoint[] {
  const offered = records.filter(({ name, port }) => plain(name) !== '' && port > 0);
  const first = offered.reduce(
    (lowest, { priority }) => Math.min(lowest, priority),
    Number.POSITIVE_INFINITY,
  );
  const heaviest = offered.reduce((most, { weight }) => Math.max(most, weight), 1);
  const scale = Math.min(1, weightLimits.max / heaviest);
  const byName = new Map<string, DiscoveredEndpoint>();
  for (const { name: target, port, priority, weight } of offered) {
    const host = plain(target);
    const name = hostPort(host, port);
    const backup = priority > first;
    // The better of two records for one place.
    if (byName.get(name)?.backup === false && backup) continue;
    byName.set(name, { name, host, port, backup, weight: Math.max(1, Math.round(weight * scale)) });
  }
  const sorted = [...byName.values()].sort(
    (a, b) => Number(a.backup) - Number(b.backup) || (a.name < b.name ? -1 : 1),
  );
  return sorted.slice(0, SERVICE_ENDPOINTS_MAX);
}
