/** Totals → the samples of each metric in the catalog. Pure; the exposition format is the registry's business. */
import type { MetricName } from './catalog.js';
import type { ByReason, HistogramTotals, ListenerTotals, Totals, UpstreamTotals } from './totals.js';

export interface Sample {
  /** Set for a histogram's series: the metric's name with `_bucket`, `_sum` or `_count`. */
  readonly metricName?: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

/** What the primary knows beside its workers' counters. */
export interface PrimaryState {
  readonly configGeneration: number;
  /** Workers that accept now. */
  readonly workers: number;
  readonly workerRestarts: number;
  readonly workerHangs: number;
  /** Lines that the primary itself could not write. */
  readonly linesDropped: number;
  /** Connections to the monitoring servers closed for newer ones. */
  readonly monitoringEvicted: number;
  readonly maxConnections: number;
  readonly maxOpenFiles: number;
  readonly version: string;
}

export function samplesOf(totals: Totals, state: PrimaryState): Record<MetricName, readonly Sample[]> {
  return {
    ...listenerSamples(totals.listeners),
    ...upstreamSamples(totals.upstreams),
    anyport_identify_seconds: histogram('anyport_identify_seconds', {}, totals.identifySeconds),
    anyport_session_seconds: histogram('anyport_session_seconds', {}, totals.sessionSeconds),
    anyport_validator_failures_total: Object.entries(totals.validatorFailures).map(([protocol, value]) => ({
      labels: { protocol },
      value,
    })),
    anyport_config_generation: [{ labels: {}, value: state.configGeneration }],
    anyport_workers: [{ labels: {}, value: state.workers }],
    anyport_worker_restarts_total: [{ labels: {}, value: state.workerRestarts }],
    anyport_worker_hangs_total: [{ labels: {}, value: state.workerHangs }],
    anyport_monitoring_evicted_total: [{ labels: {}, value: state.monitoringEvicted }],
    anyport_max_connections: [{ labels: {}, value: state.maxConnections }],
    anyport_max_open_files: [{ labels: {}, value: state.maxOpenFiles }],
    anyport_build_info: [{ labels: { version: state.version, node_version: process.version }, value: 1 }],
    anyport_log_lines_dropped_total: [{ labels: {}, value: totals.linesDropped + state.linesDropped }],
  };
}

function listenerSamples(listeners: readonly ListenerTotals[]) {
  const each = listeners.flatMap(({ name: listener, protocols }) =>
    protocols.map((of) => ({ of, labels: { listener, protocol: of.protocol } })),
  );
  const identified = each.filter(({ of }) => of.protocol !== '');
  return {
    anyport_accepted_total: listeners.map(({ name, accepted }) => ({
      labels: { listener: name },
      value: accepted,
    })),
    anyport_refused_total: listeners.map(({ name, refused }) => ({
      labels: { listener: name, reason: 'over_limit' },
      value: refused,
    })),
    anyport_openings_evicted_total: listeners.flatMap(({ name: listener, evicted }) =>
      Object.entries(evicted).map(([limit, value]) => ({ labels: { listener, limit }, value })),
    ),
    anyport_sessions_total: each.flatMap(({ of, labels }) => reasonSamples(labels, of.ended)),
    anyport_sessions_active: each.map(({ of, labels }) => ({ labels, value: of.active })),
    anyport_bytes_total: each.flatMap(({ of, labels }) => [
      { labels: { ...labels, direction: 'up' }, value: of.bytesUp },
      { labels: { ...labels, direction: 'down' }, value: of.bytesDown },
    ]),
    anyport_identified_total: identified.map(({ of, labels }) => ({ labels, value: of.identified })),
  };
}

function upstreamSamples(upstreams: readonly UpstreamTotals[]) {
  const endpoints = upstreams.flatMap(({ name: upstream, endpoints }) =>
    endpoints.map((of) => ({ of, labels: { upstream, endpoint: of.name } })),
  );
  return {
    anyport_connect_seconds: upstreams.flatMap(({ name, connectSeconds }) =>
      histogram('anyport_connect_seconds', { upstream: name }, connectSeconds),
    ),
    anyport_endpoint_sessions: endpoints.map(({ of, labels }) => ({ labels, value: of.sessions })),
    anyport_connect_failures_total: endpoints.flatMap(({ of, labels }) => reasonSamples(labels, of.failures)),
  };
}

function reasonSamples(labels: Sample['labels'], counts: ByReason): Sample[] {
  return Object.entries(counts).map(([reason, value]) => ({ labels: { ...labels, reason }, value }));
}

function histogram(name: string, labels: Sample['labels'], totals: HistogramTotals): Sample[] {
  let count = 0;
  const series = totals.counts.map((inBucket, i) => {
    count += inBucket;
    return {
      metricName: `${name}_bucket`,
      labels: { ...labels, le: totals.bounds[i] ?? '+Inf' },
      value: count,
    };
  });
  return [
    ...series,
    { metricName: `${name}_sum`, labels, value: totals.sum },
    { metricName: `${name}_count`, labels, value: count },
  ];
}
