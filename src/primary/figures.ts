/** What a scrape shows beside the counters of workers: what the primary itself knows at that moment. */

import type { Monitor } from '../health/monitor.js';
import type { Figures } from '../metrics/text.js';
import type { ClusterStatus } from '../model/cluster-status.js';
import { configuredUpstreams } from '../model/configured-upstreams.js';
import type { ListStatus } from '../model/list-status.js';
import type { DataPlane } from '../plane/data-plane.js';
import { truthOf } from './endpoint-truth.js';
import type { Fitted } from './file-limit.js';
import { type ListenLosses, listenLosses } from './listen-losses.js';
import { type Reloads, reloadResults } from './reloads.js';

export interface FiguresSource {
  readonly version: string;
  readonly plane: Pick<DataPlane, 'plan' | 'accepting' | 'restarts' | 'hangs' | 'admission'>;
  readonly health: Pick<Monitor, 'statusOf' | 'checks' | 'ejections'>;
  /** In force. */
  fitted(): Fitted;
  reloads(): Reloads['counts'];
  lists(): readonly ListStatus[];
  /** Null: this node is alone. */
  cluster(): ClusterStatus | null;
  /** Values of other nodes that were not taken, by reason. */
  refusedBans(): Readonly<Record<string, number>>;
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
    anyport_endpoint_up: endpointsUp(source),
    ...checkFigures(source),
    ...admissionFigures(source),
    anyport_endpoint_ejections_total: source.health.ejections().map(({ upstream, endpoint, count }) => ({
      labels: { upstream, endpoint },
      value: count,
    })),
    ...listFigures(source.lists()),
    ...clusterFigures(source),
    anyport_workers: plane.accepting,
    anyport_worker_restarts_total: plane.restarts,
    anyport_worker_hangs_total: plane.hangs,
    anyport_config_reloads_total: reloadResults.map((result) => ({
      labels: { result },
      value: reloads[result],
    })),
    ...lossFigures(listenLosses()),
    anyport_monitoring_evicted_total: source.evicted(),
    anyport_max_connections: config.server.maxConnections,
    anyport_max_open_files: maxOpenFiles,
    anyport_build_info: { labels: { version, node_version: process.version }, value: 1 },
    anyport_log_lines_dropped_total: source.linesDropped(),
  };
}

const endpointsUp = ({ plane: { plan }, health }: FiguresSource) =>
  configuredUpstreams(plan).flatMap(({ name: upstream, endpoints }, index) =>
    endpoints.map((endpoint, at) => ({
      labels: { upstream, endpoint: endpoint.name },
      value: truthOf(endpoint, health.statusOf(plan.ids.endpoints[index]?.[at] as number)).up ? 1 : 0,
    })),
  );

function admissionFigures({ plane: { admission } }: FiguresSource) {
  const { identifying, evictedBySource, evictedInAll, ...counts } = admission.counts();
  return {
    anyport_sources: counts.sources,
    anyport_sources_evicted_total: counts.evictions,
    anyport_sources_crowded_total: counts.crowded,
    anyport_bans_active: counts.bansActive,
    anyport_bans_total: Object.entries(counts.bans).map(([cause, value]) => ({ labels: { cause }, value })),
    anyport_bans_lifted_total: [
      { labels: { by: 'operator' }, value: counts.lifted },
      { labels: { by: 'newer' }, value: counts.displaced },
    ],
    anyport_identifying: identifying,
    anyport_identifying_evicted_total: [
      { labels: { limit: 'source' }, value: evictedBySource },
      { labels: { limit: 'all' }, value: evictedInAll },
    ],
  };
}

/** Without a sample where the kernel does not say: 0 would say that nothing was lost. */
const lossFigures = (losses: ListenLosses | null) => ({
  anyport_listen_overflows_total: losses?.overflows ?? [],
  anyport_listen_drops_total: losses?.drops ?? [],
});

function checkFigures({ health }: FiguresSource) {
  const checks = health.checks();
  return {
    anyport_health_checks_total: checks.flatMap(({ upstream, endpoint, ok, failed }) => [
      { labels: { upstream, endpoint, result: 'ok' }, value: ok },
      { labels: { upstream, endpoint, result: 'failed' }, value: failed },
    ]),
    anyport_health_check_seconds: checks.map(({ upstream, endpoint, seconds }) => ({
      labels: { upstream, endpoint },
      value: seconds,
    })),
  };
}

/** Without samples where this node is alone. */
function clusterFigures(source: FiguresSource) {
  const cluster = source.cluster();
  const refused = cluster === null ? [] : Object.entries(source.refusedBans());
  return {
    anyport_cluster_connected: cluster === null ? [] : Number(cluster.connected),
    anyport_cluster_registered: cluster === null ? [] : Number(cluster.registered),
    anyport_cluster_nodes: cluster?.nodes.length ?? [],
    anyport_cluster_instances: cluster?.services.reduce((all, { instances }) => all + instances, 0) ?? [],
    anyport_cluster_fragments: Object.entries(cluster?.fragments ?? {}).map(([state, value]) => ({
      labels: { state },
      value,
    })),
    anyport_cluster_outages_total: cluster?.outages ?? [],
    anyport_cluster_bans_refused_total: refused.map(([reason, value]) => ({ labels: { reason }, value })),
  };
}

function listFigures(lists: readonly ListStatus[]) {
  const of = (value: (list: ListStatus) => number) =>
    lists.map((each) => ({ labels: { list: each.list, listener: each.listener ?? '' }, value: value(each) }));
  const sum = (numbers: readonly number[]) => numbers.reduce((all, number) => all + number, 0);
  return {
    anyport_list_entries: of(({ entries }) => entries),
    anyport_list_bytes: of(({ bytes }) => bytes),
    anyport_list_read_timestamp_seconds: of(({ files }) =>
      Math.max(0, ...files.map(({ readAt }) => Date.parse(readAt) / 1000)),
    ),
    anyport_list_failures_total: of(({ files }) => sum(files.map(({ failures }) => failures))),
    anyport_list_stale_files: of(({ files }) => files.filter(({ problem }) => problem !== null).length),
  };
}
