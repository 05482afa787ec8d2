/** What a scrape shows beside the counters of workers: what the primary itself knows at that moment. */
import type { Figures } from '../metrics/text.js';
import type { Plan } from '../model/plan.js';
import type { DataPlane } from '../plane/data-plane.js';
import type { Fitted } from './file-limit.js';
import { type Reloads, reloadResults } from './reloads.js';

export interface FiguresSource {
  readonly version: string;
  readonly plane: Pick<DataPlane, 'plan' | 'accepting' | 'restarts' | 'hangs'>;
  /** In force. */
  fitted(): Fitted;
  reloads(): Reloads['counts'];
  /** Connections that the servers of the primary closed to admit newer ones. */
  evicted(): number;
  /** Log lines lost so far. */
  linesDropped(): number;
}

export function figuresOf(source: FiguresSource): Figures {
  const { version, plane } = source;
  const { config, maxOpenFiles } = source.fitted();
  const reloads = source.reloads();
  return {
    anyport_config_generation: plane.plan.generation,
    anyport_endpoint_up: endpointsUp(plane.plan),
    anyport_workers: plane.accepting,
    anyport_worker_restarts_total: plane.restarts,
    anyport_worker_hangs_total: plane.hangs,
    anyport_config_reloads_total: reloadResults.map((result) => ({
      labels: { result },
      value: reloads[result],
    })),
    anyport_monitoring_evicted_total: source.evicted(),
    anyport_max_connections: config.server.maxConnections,
    anyport_max_open_files: maxOpenFiles,
    anyport_build_info: { labels: { version, node_version: process.version }, value: 1 },
    anyport_log_lines_dropped_total: source.linesDropped(),
  };
}

const endpointsUp = ({ upstreams }: Plan) =>
  upstreams.flatMap(({ name: upstream, endpoints }) =>
    endpoints.map(({ name: endpoint, state }) => ({
      labels: { upstream, endpoint },
      value: state === 'down' ? 0 : 1,
    })),
  );
