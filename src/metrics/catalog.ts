/**
 * The catalog: one row per metric. Its scope determines the labels and the cells; code counts a metric by its name
 * (`counters.add`), and metrics of the primary are read by name.
 */
import { refusalCauses } from '../model/connect-proxy.js';
import type { IdKind } from '../model/ids.js';
import { checks, reasons, refusals } from '../model/session.js';

export type MetricKind = 'counter' | 'gauge' | 'histogram';

/**
 * Scope → kinds of ids that a worker counts by; they are the labels. The primary reads scopes in this order, and the
 * metrics of each scope in catalog order, while workers keep counting. Therefore ends come before `active` (a worker
 * lowers `active` before it counts the end), and `accepted` comes last: no session is read twice, or as ended but not
 * yet accepted.
 */
export const scopes = {
  worker: [],
  protocol: ['protocol'],
  upstream: ['upstream'],
  upstream_endpoint: ['upstream', 'endpoint'],
  listener_protocol: ['listener', 'protocol'],
  listener: ['listener'],
} as const satisfies Record<string, readonly IdKind[]>;

export type Scope = keyof typeof scopes;

/** A label with a fixed set of values, one cell each. */
export interface ClosedLabel {
  readonly label: string;
  readonly values: readonly string[];
}

export interface MetricEntry {
  readonly kind: MetricKind;
  readonly help: string;
  /** `primary`: no worker counts it; the primary supplies the value (`Figures`). */
  readonly scope: Scope | 'primary';
  readonly by?: ClosedLabel;
  /** Of some rows alone: a gauge that is written where the first cell of this counter has counted. */
  readonly where?: string;
  /** A second one: a cell for each pair, those of the first value of `by` first. */
  readonly and?: ClosedLabel;
  /** Upper bounds of a histogram's buckets in seconds; `+Inf` follows. */
  readonly buckets?: readonly number[];
  /** Labels whose values the primary supplies with the figure. */
  readonly labels?: readonly string[];
}

const reason = { label: 'reason', values: reasons } as const;

/** Sizes of buffers, as in native/pool/slabs.h. */
export const tiers = ['tiny', 'small', 'medium', 'large'] as const;
export type Tier = (typeof tiers)[number];

const tier = { label: 'tier', values: tiers } as const;

/** What remembers answers for `server.cache_ttl`. */
export const caches = ['affinity', 'names'] as const;

export const catalog = {
  anyport_refused_total: {
    kind: 'counter',
    scope: 'listener',
    help: 'Connections refused before a byte was read.',
    by: { label: 'reason', values: refusals },
  },
  anyport_admission_checks_total: {
    kind: 'counter',
    scope: 'listener',
    help: 'Connections that a check of admission has decided, by the key that says so: let in without limits by `ip_whitelist`, refused by any other. Those announced by a PROXY header count too.',
    by: { label: 'check', values: ['ip_whitelist', ...checks.slice(1)] },
  },
  anyport_openings_evicted_total: {
    kind: 'counter',
    scope: 'listener',
    help: "Openings over 4 KiB reset while being identified, the oldest first: over their source's share, or the worker's.",
    by: { label: 'limit', values: ['source', 'worker'] },
  },
  anyport_identifying: {
    kind: 'gauge',
    scope: 'primary',
    help: 'Sessions under identification, where a limit of these is configured (`max_identifying`, `identifying_per_ip`).',
  },
  anyport_identifying_evicted_total: {
    kind: 'counter',
    scope: 'primary',
    help: 'Sessions reset under identification because a newer one came: over the limit of their source, or of all.',
    labels: ['limit'],
  },
  anyport_sources: {
    kind: 'gauge',
    scope: 'primary',
    help: 'Sources that admission knows, where something is asked of them: 262,144 at most, about 110 B each.',
  },
  anyport_sources_evicted_total: {
    kind: 'counter',
    scope: 'primary',
    help: 'Sources without a session and a ban that were forgotten for new ones.',
  },
  anyport_sources_crowded_total: {
    kind: 'counter',
    scope: 'primary',
    help: 'Connections of sources that found every place taken by one with sessions or a ban: they share limits, and are not banned.',
  },
  anyport_bans_active: {
    kind: 'gauge',
    scope: 'primary',
    help: 'Sources that are banned.',
  },
  anyport_bans_total: {
    kind: 'counter',
    scope: 'primary',
    help: 'Bans made: for too many connections, for too many failed identifications, by the operator, by another node of the cluster.',
    labels: ['cause'],
  },
  anyport_bans_lifted_total: {
    kind: 'counter',
    scope: 'primary',
    help: 'Bans ended early: lifted by the operator, or displaced by newer ones (65,536 at once).',
    labels: ['by'],
  },
  anyport_tarpit_total: {
    kind: 'counter',
    scope: 'listener',
    help: 'Sessions ended by `tarpit`: their connection was held, or reset at once because `tarpit_max` were held already.',
    by: { label: 'result', values: ['held', 'over_limit'] },
  },
  anyport_udp_dropped_total: {
    kind: 'counter',
    scope: 'listener',
    help: 'Datagrams dropped. no_flow: of a client for which there is no flow, because one was refused or there was no place (`max_flows`). per_ip: over `max_flows_per_ip`. too_large: larger than can be sent on. queue_full: the socket or the opening of a flow was full. amplification: over the limit of this name. kernel: the receive buffer was full (`receive_buffer`). Of UDP associations, per_ip: over 256 targets, too; malformed: without a header that can be read; fragment: one of several pieces; foreign: not from the client.',
    by: {
      label: 'reason',
      values: [
        'no_flow',
        'per_ip',
        'too_large',
        'queue_full',
        'amplification',
        'kernel',
        'malformed',
        'fragment',
        'foreign',
      ],
    },
  },
  anyport_udp_datagrams_total: {
    kind: 'counter',
    scope: 'listener',
    help: 'Datagrams relayed; up is from the client.',
    by: { label: 'direction', values: ['up', 'down'] },
  },
  anyport_udp_flows: {
    kind: 'gauge',
    scope: 'listener',
    help: 'Flows open now: sessions over datagrams.',
    where: 'anyport_udp_datagrams_total',
  },
  anyport_accepted_total: {
    kind: 'counter',
    scope: 'listener',
    help: 'Connections and flows accepted, those refused at once included.',
  },
  anyport_sessions_total: {
    kind: 'counter',
    scope: 'listener_protocol',
    help: 'Sessions ended; the sum over reasons and the active ones is what was accepted.',
    by: reason,
  },
  anyport_sessions_active: {
    kind: 'gauge',
    scope: 'listener_protocol',
    help: 'Sessions open now; without a protocol while it is not known.',
  },
  anyport_bytes_total: {
    kind: 'counter',
    scope: 'listener_protocol',
    help: 'Bytes relayed; up is from the client.',
    by: { label: 'direction', values: ['up', 'down'] },
  },
  anyport_identified_total: {
    kind: 'counter',
    scope: 'listener_protocol',
    help: 'Sessions whose protocol was identified.',
  },
  anyport_cache_hits_total: {
    kind: 'counter',
    scope: 'worker',
    help: 'Look-ups that were answered; affinity: the endpoint of a client took the session; names: the addresses of a destination were known.',
    by: { label: 'cache', values: caches },
  },
  anyport_cache_misses_total: {
    kind: 'counter',
    scope: 'worker',
    help: 'Look-ups that were not answered.',
    by: { label: 'cache', values: caches },
  },
  anyport_proxy_refusals_total: {
    kind: 'counter',
    scope: 'worker',
    help: 'Requests to `connect_proxy` that were refused, by cause.',
    by: { label: 'cause', values: refusalCauses },
  },
  anyport_validator_failures_total: {
    kind: 'counter',
    scope: 'protocol',
    help: "A custom protocol's validator threw, took too long or gave no answer: the session is not of this protocol.",
  },
  anyport_identify_seconds: {
    kind: 'histogram',
    scope: 'worker',
    help: 'From accept to the protocol being known.',
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15],
  },
  anyport_pool_connections: {
    kind: 'gauge',
    scope: 'upstream',
    help: 'Connections opened ahead of sessions.',
    by: { label: 'state', values: ['idle', 'opening'] },
  },
  anyport_pool_hits_total: {
    kind: 'counter',
    scope: 'upstream',
    help: 'Sessions that got a connection opened ahead.',
  },
  anyport_pool_misses_total: {
    kind: 'counter',
    scope: 'upstream',
    help: 'Sessions of an upstream with a pool that had to connect themselves.',
  },
  anyport_pool_wasted_total: {
    kind: 'counter',
    scope: 'upstream',
    help: 'Connections opened ahead that no session got: idle for too long, closed by the endpoint, or not to be had.',
    by: { label: 'reason', values: ['expired', 'closed', 'connect_failed'] },
  },
  anyport_queue_sessions: {
    kind: 'gauge',
    scope: 'upstream',
    help: 'Sessions that wait for a place at an endpoint now (`queue`).',
  },
  anyport_queue_waits_total: {
    kind: 'counter',
    scope: 'upstream',
    help: 'Sessions that had to wait for a place, by how it ended: they got one, waited too long, or left before (the client went, or a drain ended them). over_limit: as many as may wait did already.',
    by: { label: 'result', values: ['served', 'timeout', 'left', 'over_limit'] },
  },
  anyport_connect_seconds: {
    kind: 'histogram',
    scope: 'upstream',
    help: 'From dialing an endpoint to being connected.',
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
  },
  anyport_session_seconds: {
    kind: 'histogram',
    scope: 'worker',
    help: 'From accept to the end of the session.',
    buckets: [0.005, 0.025, 0.1, 0.5, 1, 5, 30, 60, 300, 1800, 3600, 14_400, 86_400],
  },
  anyport_bandwidth_wait_seconds_total: {
    kind: 'counter',
    scope: 'upstream',
    help: 'Time that sessions had bytes to move and waited for a limit of `bandwidth`, added up over sessions.',
    by: { label: 'direction', values: ['up', 'down'] },
  },
  anyport_quic_followed_total: {
    kind: 'counter',
    scope: 'upstream',
    help: 'Flows whose first datagram had a connection id that led them to its endpoint (`quic.follow_connection_id`): the address of a client has changed.',
  },
  anyport_quic_ids_lost_total: {
    kind: 'counter',
    scope: 'worker',
    help: 'Times that there was no place to keep a connection id: 262,144 are kept, all workers together.',
  },
  anyport_kcp_links: {
    kind: 'gauge',
    scope: 'worker',
    help: 'Links over KCP now, of both ends.',
  },
  anyport_kcp_rtt_seconds: {
    kind: 'histogram',
    scope: 'worker',
    help: 'Round trips of links, smoothed: a sample per link and second in which something was sent.',
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
  },
  anyport_kcp_segments_total: {
    kind: 'counter',
    scope: 'worker',
    help: 'Segments of links, those sent again included.',
    by: { label: 'direction', values: ['sent', 'received'] },
  },
  anyport_kcp_retransmits_total: {
    kind: 'counter',
    scope: 'worker',
    help: 'Segments sent again.',
  },
  anyport_kcp_fec_recovered_total: {
    kind: 'counter',
    scope: 'worker',
    help: 'Lost datagrams that parity has brought back.',
  },
  anyport_kcp_resets_total: {
    kind: 'counter',
    scope: 'worker',
    help: 'Resets of links that their server does not know any more, because it or its worker has started again: sent to clients, and received by them.',
    by: { label: 'direction', values: ['sent', 'received'] },
  },
  anyport_kcp_dropped_total: {
    kind: 'counter',
    scope: 'worker',
    help: 'Datagrams of no use to a link. refused: altered, or of another secret; a reset that is not genuine. replayed: taken before. malformed: nothing that a link can take. unknown: of no link, on a listener of links alone. full: a link for which there was no place.',
    by: { label: 'reason', values: ['refused', 'replayed', 'malformed', 'unknown', 'full'] },
  },
  anyport_tarpit_connections: {
    kind: 'gauge',
    scope: 'worker',
    help: 'Connections held in the tarpit now, which are no sessions any more.',
  },
  anyport_lingering_connections: {
    kind: 'gauge',
    scope: 'worker',
    help: 'Refused clients that are read from until they close, so that the answer arrives; they are no sessions any more.',
  },
  anyport_lingering_total: {
    kind: 'counter',
    scope: 'worker',
    help: 'Refused clients that were. closed: they closed. timeout: not within 5 s. too_much: over 4 MiB came. over_limit: they gave way to another (128 for each worker). shutdown: the worker ended.',
    by: { label: 'result', values: ['closed', 'timeout', 'too_much', 'over_limit', 'shutdown'] },
  },
  anyport_buffers: {
    kind: 'gauge',
    scope: 'worker',
    help: 'Buffers for openings, and for bytes that a full socket has not taken.',
    by: tier,
    and: { label: 'state', values: ['in_use', 'free'] },
  },
  anyport_buffer_uses_total: {
    kind: 'counter',
    scope: 'worker',
    help: 'Buffers taken.',
    by: tier,
  },
  anyport_buffer_misses_total: {
    kind: 'counter',
    scope: 'worker',
    help: 'Times that a buffer was wanted and none was free: a larger one was taken, less was read, or an opening was evicted or refused.',
    by: tier,
  },
  anyport_buffers_peak: {
    kind: 'gauge',
    scope: 'worker',
    help: 'Most buffers in use at once so far; the sum of the peaks of all workers.',
    by: tier,
  },
  anyport_endpoint_sessions: {
    kind: 'gauge',
    scope: 'upstream_endpoint',
    help: 'Sessions connected to the endpoint now.',
  },
  anyport_endpoint_up: {
    kind: 'gauge',
    scope: 'primary',
    help: '1 for an endpoint that is up, also while it is drained; 0 for one that is down by its check, ejected, set down or not resolved.',
    labels: ['upstream', 'endpoint'],
  },
  anyport_health_checks_total: {
    kind: 'counter',
    scope: 'primary',
    help: 'Answers of active checks.',
    labels: ['upstream', 'endpoint', 'result'],
  },
  anyport_health_check_seconds: {
    kind: 'gauge',
    scope: 'primary',
    help: 'How long the last active check took.',
    labels: ['upstream', 'endpoint'],
  },
  anyport_endpoint_ejections_total: {
    kind: 'counter',
    scope: 'primary',
    help: 'Times that the endpoint was left alone because its sessions failed too often (`passive_health`).',
    labels: ['upstream', 'endpoint'],
  },
  anyport_connect_failures_total: {
    kind: 'counter',
    scope: 'upstream_endpoint',
    help: 'Attempts to connect to the endpoint that failed.',
    by: reason,
  },
  anyport_dial_shortages_total: {
    kind: 'counter',
    scope: 'upstream',
    help: "Attempts to connect that failed because this machine lacks something: a free port, the source address, the interface, a source of the endpoint's family, or open files and memory.",
    by: { label: 'lacking', values: ['ports', 'source', 'interface', 'family', 'files'] },
  },
  anyport_list_entries: {
    kind: 'gauge',
    scope: 'primary',
    help: 'Networks in a list (`list`: its key; `listener` is empty for the lists of `security`), also those within others.',
    labels: ['list', 'listener'],
  },
  anyport_list_bytes: {
    kind: 'gauge',
    scope: 'primary',
    help: 'Memory of the list; lists that name the same networks and files share it.',
    labels: ['list', 'listener'],
  },
  anyport_list_read_timestamp_seconds: {
    kind: 'gauge',
    scope: 'primary',
    help: 'When a file of the list was read last, in seconds since the epoch; 0: it has no file.',
    labels: ['list', 'listener'],
  },
  anyport_list_failures_total: {
    kind: 'counter',
    scope: 'primary',
    help: 'Times that a file of the list had changed and could not be read; what it had last stays in force.',
    labels: ['list', 'listener'],
  },
  anyport_list_stale_files: {
    kind: 'gauge',
    scope: 'primary',
    help: 'Files of the list that can not be read now.',
    labels: ['list', 'listener'],
  },
  anyport_cluster_connected: {
    kind: 'gauge',
    scope: 'primary',
    help: 'Whether all that is followed in etcd is current (`distributed`).',
  },
  anyport_cluster_registered: {
    kind: 'gauge',
    scope: 'primary',
    help: 'Whether this node is registered.',
  },
  anyport_cluster_nodes: {
    kind: 'gauge',
    scope: 'primary',
    help: 'Nodes that are registered, this one too; in an outage those that were last.',
  },
  anyport_cluster_instances: {
    kind: 'gauge',
    scope: 'primary',
    help: 'Instances of services that can be used.',
  },
  anyport_cluster_fragments: {
    kind: 'gauge',
    scope: 'primary',
    help: 'Fragments of the configuration in etcd, by what has become of them: accepted, refused, or waiting for what this machine lacks now.',
    labels: ['state'],
  },
  anyport_cluster_outages_total: {
    kind: 'counter',
    scope: 'primary',
    help: 'Times that etcd could not be used any more, each until all of it could be again.',
  },
  anyport_cluster_bans_refused_total: {
    kind: 'counter',
    scope: 'primary',
    help: 'Values with bans of other nodes that were not taken: not signed with our key, an old one written again, malformed.',
    labels: ['reason'],
  },
  anyport_config_generation: {
    kind: 'gauge',
    scope: 'primary',
    help: 'Generation of the plan in force.',
  },
  anyport_config_reloads_total: {
    kind: 'counter',
    scope: 'primary',
    help: 'Configurations that were to replace the one in force, by what became of them.',
    labels: ['result'],
  },
  anyport_workers: {
    kind: 'gauge',
    scope: 'primary',
    help: 'Worker threads that accept connections.',
  },
  anyport_worker_restarts_total: {
    kind: 'counter',
    scope: 'primary',
    help: 'Worker threads that died and were replaced.',
  },
  anyport_worker_hangs_total: {
    kind: 'counter',
    scope: 'primary',
    help: 'Worker threads that hung and were terminated; each replacement also counts as a restart.',
  },
  anyport_listen_overflows_total: {
    kind: 'counter',
    scope: 'primary',
    help: 'Handshakes that found an accept backlog full and were dropped by the kernel: of all sockets of this network namespace.',
  },
  anyport_listen_drops_total: {
    kind: 'counter',
    scope: 'primary',
    help: 'Connections that the kernel dropped for a listening socket, overflows included: of all sockets of this network namespace.',
  },
  anyport_monitoring_evicted_total: {
    kind: 'counter',
    scope: 'primary',
    help: 'Connections to the monitoring servers closed to make room for newer ones.',
  },
  anyport_max_connections: {
    kind: 'gauge',
    scope: 'primary',
    help: 'Limit of connections at once: max_connections, or what the open files allow.',
  },
  anyport_max_open_files: {
    kind: 'gauge',
    scope: 'primary',
    help: 'Limit of open files of the process.',
  },
  anyport_build_info: {
    kind: 'gauge',
    scope: 'primary',
    help: 'Always 1; its labels say what runs.',
    labels: ['version', 'node_version'],
  },
  anyport_log_lines_dropped_total: {
    kind: 'counter',
    scope: 'worker',
    help: 'Log lines over the rate limit, or that standard output did not take in time.',
  },
} as const satisfies Record<string, MetricEntry>;

export type MetricName = keyof typeof catalog;

export type ScopeOf<M extends MetricName> = (typeof catalog)[M]['scope'];

/** Metrics counted by workers. */
export type CountedMetric = {
  [M in MetricName]: ScopeOf<M> extends Scope ? M : never;
}[MetricName];

export const metricNames = Object.keys(catalog) as MetricName[];
export const scopeNames = Object.keys(scopes) as Scope[];

/** A row of the catalog, widened to the type that all rows share. */
export const entryOf = (metric: MetricName): MetricEntry => catalog[metric];
