/** Every metric once: what it is called, what it means, which labels it has. Label values are configured names only. */

export type MetricKind = 'counter' | 'gauge' | 'histogram';

export interface MetricEntry {
  readonly kind: MetricKind;
  readonly help: string;
  readonly labels: readonly string[];
}

export const catalog = {
  anyport_accepted_total: {
    kind: 'counter',
    help: 'Connections accepted, those refused at once included.',
    labels: ['listener'],
  },
  anyport_refused_total: {
    kind: 'counter',
    help: 'Connections refused before a byte was read.',
    labels: ['listener', 'reason'],
  },
  anyport_openings_evicted_total: {
    kind: 'counter',
    help: "Openings over 4 KiB reset while being identified, the oldest first: over their source's share, or the worker's.",
    labels: ['listener', 'limit'],
  },
  anyport_sessions_total: {
    kind: 'counter',
    help: 'Sessions ended; the sum over reasons and the active ones is what was accepted.',
    labels: ['listener', 'protocol', 'reason'],
  },
  anyport_sessions_active: {
    kind: 'gauge',
    help: 'Sessions open now; without a protocol while it is not known.',
    labels: ['listener', 'protocol'],
  },
  anyport_bytes_total: {
    kind: 'counter',
    help: 'Bytes relayed; up is from the client.',
    labels: ['listener', 'protocol', 'direction'],
  },
  anyport_identified_total: {
    kind: 'counter',
    help: 'Sessions whose protocol was identified.',
    labels: ['listener', 'protocol'],
  },
  anyport_validator_failures_total: {
    kind: 'counter',
    help: "A custom protocol's validator threw, took too long or gave no answer: the session is not of this protocol.",
    labels: ['protocol'],
  },
  anyport_identify_seconds: {
    kind: 'histogram',
    help: 'From accept to the protocol being known.',
    labels: [],
  },
  anyport_connect_seconds: {
    kind: 'histogram',
    help: 'From dialing an endpoint to being connected.',
    labels: ['upstream'],
  },
  anyport_session_seconds: {
    kind: 'histogram',
    help: 'From accept to the end of the session.',
    labels: [],
  },
  anyport_endpoint_sessions: {
    kind: 'gauge',
    help: 'Sessions connected to the endpoint now.',
    labels: ['upstream', 'endpoint'],
  },
  anyport_connect_failures_total: {
    kind: 'counter',
    help: 'Attempts to connect to the endpoint that failed.',
    labels: ['upstream', 'endpoint', 'reason'],
  },
  anyport_config_generation: {
    kind: 'gauge',
    help: 'Generation of the plan that was published last.',
    labels: [],
  },
  anyport_workers: {
    kind: 'gauge',
    help: 'Worker threads that accept connections.',
    labels: [],
  },
  anyport_worker_restarts_total: {
    kind: 'counter',
    help: 'Worker threads that died and were replaced.',
    labels: [],
  },
  anyport_worker_hangs_total: {
    kind: 'counter',
    help: 'Worker threads that stood still and were ended; what replaced them is counted as a restart.',
    labels: [],
  },
  anyport_monitoring_evicted_total: {
    kind: 'counter',
    help: 'Connections to the monitoring servers closed to make room for newer ones.',
    labels: [],
  },
  anyport_max_connections: {
    kind: 'gauge',
    help: 'Limit of sessions at once: max_connections, or what the open files allow.',
    labels: [],
  },
  anyport_max_open_files: {
    kind: 'gauge',
    help: 'Limit of open files of the process.',
    labels: [],
  },
  anyport_build_info: {
    kind: 'gauge',
    help: 'Always 1; its labels say what runs.',
    labels: ['version', 'node_version'],
  },
  anyport_log_lines_dropped_total: {
    kind: 'counter',
    help: 'Log lines over the rate limit, or that standard output did not take in time.',
    labels: [],
  },
} as const satisfies Record<string, MetricEntry>;

export type MetricName = keyof typeof catalog;

/** Upper bounds of the histograms' buckets, in seconds; a last one without a bound follows. */
export const buckets = {
  identify: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15],
  connect: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
  session: [0.005, 0.025, 0.1, 0.5, 1, 5, 30, 60, 300, 1800, 3600, 14_400, 86_400],
} as const;
