/** Totals → the typed snapshot (src/model/snapshot.ts). Pure. */
import { acceptedBy } from '../model/accepted.js';
import { type IdNames, NONE } from '../model/ids.js';
import { type KcpDrop, kcpDrops } from '../model/kcp.js';
import type { Plan } from '../model/plan.js';
import { type Check, checks, type Reason, reasons, refusals } from '../model/session.js';
import type { MemoryTier, ProtocolSnapshot, Snapshot } from '../model/snapshot.js';
import { type CountedMetric, caches, catalog } from './catalog.js';
import { cellOf } from './cells.js';
import { type Totals, TotalsReader, type TotalsRow } from './totals.js';

/** What the primary knows besides the counters. */
export interface Surroundings {
  readonly timeMs: number;
  /** In force. */
  readonly plan: Pick<Plan, 'generation' | 'listeners' | 'protocols' | 'routes'>;
  readonly workers: Snapshot['workers'];
  readonly names: IdNames;
  /** Sources banned now, and bans that the guard has made. */
  readonly bans: { readonly active: number; readonly attacks: number };
  /** Sizes of buffers, ascending (`native.bufferTiers`). */
  readonly buffers: readonly Pick<MemoryTier, 'name' | 'bytes'>[];
}

/** Before anything runs. */
export function emptySnapshot(timeMs: number): Snapshot {
  const plan = { generation: 0, listeners: [], protocols: [], routes: [] };
  const names = { nameOf: () => '' };
  const workers = { wanted: 0, accepting: 0 };
  return snapshotOf(new TotalsReader([], names).read(), {
    timeMs,
    plan,
    workers,
    names,
    bans: { active: 0, attacks: 0 },
    buffers: [],
  });
}

export function snapshotOf(totals: Totals, around: Surroundings): Snapshot {
  const { timeMs, plan, workers, names, buffers, bans } = around;
  const {
    worker,
    listener,
    listener_protocol: sessions,
    upstream: upstreams,
    upstream_endpoint: endpoints,
  } = totals;
  const endedConnections = byReason(sessions, 'anyport_sessions_total');
  return {
    time: timeMs,
    generation: plan.generation,
    workers,
    activeConnections: sum(sessions, 'anyport_sessions_active'),
    acceptedConnections: sum(listener, 'anyport_accepted_total'),
    endedConnections,
    bytes: bytesOf(sessions),
    connectionPool: {
      active: sum(endpoints, 'anyport_endpoint_sessions'),
      idle: sum(upstreams, 'anyport_pool_connections'),
      hits: sum(upstreams, 'anyport_pool_hits_total'),
      misses: sum(upstreams, 'anyport_pool_misses_total'),
      wasted: upstreams.reduce((all, row) => all + wastedOf(row), 0),
      failures: endpoints.reduce((all, row) => all + failuresOf(row), 0),
    },
    security: {
      total: sum(listener, 'anyport_accepted_total'),
      blocked: checks.slice(1).reduce((all, check) => all + checkedBy(check, listener), 0),
      rateLimited: checkedBy('rate_limit', listener) + checkedBy('rate_limit in all', listener),
      whitelisted: checkedBy('', listener),
      blacklisted: checkedBy('ip_blacklist', listener),
      attacks: bans.attacks,
      refused: {
        overLimit: refusedBy('over_limit', listener),
        denied: refusedBy('denied', listener),
        rateLimited: refusedBy('rate_limited', listener),
        banned: refusedBy('banned', listener),
      },
      rejected: endedConnections.rejected,
      bansActive: bans.active,
    },
    memoryPool: { tiers: buffers.map((tier, index) => tierOf(worker, tier, index)) },
    kcp: {
      links: sum(worker, 'anyport_kcp_links'),
      segmentsSent: sum(worker, 'anyport_kcp_segments_total', 0),
      segmentsReceived: sum(worker, 'anyport_kcp_segments_total', 1),
      retransmits: sum(worker, 'anyport_kcp_retransmits_total'),
      recovered: sum(worker, 'anyport_kcp_fec_recovered_total'),
      resetsSent: sum(worker, 'anyport_kcp_resets_total', 0),
      resetsReceived: sum(worker, 'anyport_kcp_resets_total', 1),
      dropped: droppedBy(worker),
    },
    index: indexOf(plan),
    cacheHitRate: cacheHitRateOf(worker),
    protocols: protocolsOf(sessions, names),
  };
}

const cell = ({ cells }: TotalsRow, metric: CountedMetric, index = 0): number =>
  cells[cellOf[metric] + index] ?? 0;

const sum = (rows: readonly TotalsRow[], metric: CountedMetric, index = 0): number =>
  rows.reduce((all, row) => all + cell(row, metric, index), 0);

const bytesOf = (rows: readonly TotalsRow[]) => ({
  up: sum(rows, 'anyport_bytes_total', 0),
  down: sum(rows, 'anyport_bytes_total', 1),
});

function byReason(rows: readonly TotalsRow[], metric: CountedMetric): Record<Reason, number> {
  const counts = reasons.map((reason, index) => [reason, sum(rows, metric, index)] as const);
  return Object.fromEntries(counts) as Record<Reason, number>;
}

/** Shares of the tiers follow each other in the cells: `tiers` of the catalog. */
function tierOf(
  rows: readonly TotalsRow[],
  { name, bytes }: Surroundings['buffers'][number],
  tier: number,
): MemoryTier {
  const uses = sum(rows, 'anyport_buffer_uses_total', tier);
  const misses = sum(rows, 'anyport_buffer_misses_total', tier);
  return {
    name,
    bytes,
    inUse: sum(rows, 'anyport_buffers', 2 * tier),
    free: sum(rows, 'anyport_buffers', 2 * tier + 1),
    highWater: sum(rows, 'anyport_buffers_peak', tier),
    uses,
    misses,
    hitRate: uses + misses === 0 ? null : uses / (uses + misses),
  };
}

function cacheHitRateOf(rows: readonly TotalsRow[]): number | null {
  const all = (metric: CountedMetric) =>
    caches.reduce((total, _, index) => total + sum(rows, metric, index), 0);
  const hits = all('anyport_cache_hits_total');
  const misses = all('anyport_cache_misses_total');
  return hits + misses === 0 ? null : hits / (hits + misses);
}

const failuresOf = (row: TotalsRow): number =>
  reasons.reduce((all, _, index) => all + cell(row, 'anyport_connect_failures_total', index), 0);

const wastedOf = (row: TotalsRow): number =>
  catalog.anyport_pool_wasted_total.by.values.reduce(
    (all, _, index) => all + cell(row, 'anyport_pool_wasted_total', index),
    0,
  );

const refusedBy = (reason: (typeof refusals)[number], listeners: readonly TotalsRow[]): number =>
  sum(listeners, 'anyport_refused_total', refusals.indexOf(reason));

/** Empty: trusted. */
const checkedBy = (check: Check, listeners: readonly TotalsRow[]): number =>
  sum(listeners, 'anyport_admission_checks_total', checks.indexOf(check));

function droppedBy(rows: readonly TotalsRow[]): Record<KcpDrop, number> {
  const counts = kcpDrops.map(
    (reason, index) => [reason, sum(rows, 'anyport_kcp_dropped_total', index)] as const,
  );
  return Object.fromEntries(counts) as Record<KcpDrop, number>;
}

function indexOf({ listeners, protocols, routes }: Surroundings['plan']): Snapshot['index'] {
  const routable = new Set(listeners.flatMap(acceptedBy)).size;
  const forms = protocols.flatMap(({ stream, datagram }) => [stream ?? [], datagram ?? []].flat());
  // A protocol whose datagrams are recognised as its streams has one automaton.
  const automata = new Map(forms.map(({ automatonId, automaton }) => [automatonId, automaton]));
  const bytes = [...automata.values()].reduce(
    (all, { checks: own, dfas }) =>
      all +
      own.byteLength +
      dfas.reduce((size, dfa) => size + dfa.classes.byteLength + dfa.transitions.byteLength, 0),
    0,
  );
  return { configured: routable, naming: protocols.length - routable, routes: routes.length, bytes };
}

function protocolsOf(rows: readonly TotalsRow[], names: IdNames): Record<string, ProtocolSnapshot> {
  const byProtocol = new Map<number, TotalsRow[]>();
  for (const row of rows) {
    if (row.second === NONE) continue;
    const known = byProtocol.get(row.second);
    if (known === undefined) byProtocol.set(row.second, [row]);
    else known.push(row);
  }
  const entries = [...byProtocol].map(([id, own]) => [names.nameOf('protocol', id), figuresOf(own)] as const);
  return Object.fromEntries(entries.filter(([, { identified, ended }]) => identified + ended > 0));
}

function figuresOf(rows: readonly TotalsRow[]): ProtocolSnapshot {
  const ended = Object.values(byReason(rows, 'anyport_sessions_total'));
  return {
    active: sum(rows, 'anyport_sessions_active'),
    identified: sum(rows, 'anyport_identified_total'),
    ended: ended.reduce((all, each) => all + each, 0),
    bytes: bytesOf(rows),
  };
}
