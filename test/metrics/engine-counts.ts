/** Model of the engine's counting (native/desk/books): the same writes to the same cells. */
import { type Tier, tiers } from '../../src/metrics/catalog.js';
import { bucketsOf, cellOf } from '../../src/metrics/cells.js';
import { WorkerCounters } from '../../src/metrics/counters.js';
import type { Named, PlanIds } from '../../src/model/ids.js';
import { type Reason, reasons, refusals } from '../../src/model/session.js';
import type { IdRegistry } from '../../src/plane/ids.js';
import { PlanCounts } from '../../src/worker/plan-counts.js';

/** Indices are those of the Plan; protocol -1: not identified. */
export class EngineCounts {
  /** Counters written by TypeScript. */
  readonly plan: PlanCounts;
  readonly counters: WorkerCounters;
  readonly #cells: Float64Array;

  constructor(buffer: SharedArrayBuffer, ids: PlanIds, counters = new WorkerCounters(buffer)) {
    this.counters = counters;
    this.#cells = new Float64Array(buffer);
    this.plan = new PlanCounts(counters, ids);
  }

  /** With the rows named in the Plan's tables. */
  static of(
    buffer: SharedArrayBuffer,
    ids: IdRegistry,
    named: Named,
    counters?: WorkerCounters,
  ): EngineCounts {
    const counts = new EngineCounts(buffer, ids.of(named), counters);
    for (const listener of named.listeners.keys()) counts.plan.listenerRows(listener);
    return counts;
  }

  accept(listener: number, connections = 1): void {
    this.#add(this.plan.listenerRows(listener).row + cellOf.anyport_accepted_total, connections);
  }

  refuse(listener: number): void {
    this.accept(listener);
    const cell = cellOf.anyport_refused_total + refusals.indexOf('over_limit');
    this.#add(this.plan.listenerRows(listener).row + cell);
  }

  evict(listener: number): void {
    this.#add(this.plan.listenerRows(listener).row + cellOf.anyport_openings_evicted_total);
  }

  identify(listener: number, protocol: number, ms: number): void {
    const row = this.#sessionRow(listener, protocol);
    this.#add(row + cellOf.anyport_identified_total);
    this.#add(row + cellOf.anyport_sessions_active);
    this.#observe('anyport_identify_seconds', this.counters.worker, ms);
  }

  connect(upstream: number, endpoint: number, ms: number): void {
    this.#add(this.plan.endpointRow(upstream, endpoint) + cellOf.anyport_endpoint_sessions);
    this.#observe('anyport_connect_seconds', this.plan.upstreamRow(upstream), ms);
  }

  relay(listener: number, protocol: number, up: number, down: number): void {
    const cell = this.#sessionRow(listener, protocol) + cellOf.anyport_bytes_total;
    this.#add(cell, up);
    this.#add(cell + 1, down);
  }

  end(listener: number, protocol: number, reason: Reason, ms: number): void {
    const row = this.#sessionRow(listener, protocol);
    if (protocol >= 0) this.#add(row + cellOf.anyport_sessions_active, -1);
    this.#add(row + cellOf.anyport_sessions_total + reasons.indexOf(reason));
    this.#observe('anyport_session_seconds', this.counters.worker, ms);
  }

  release(upstream: number, endpoint: number): void {
    this.#add(this.plan.endpointRow(upstream, endpoint) + cellOf.anyport_endpoint_sessions, -1);
  }

  /** The pool of buffers; the model takes none itself. */
  pool(
    tier: Tier,
    counts: Readonly<Record<'inUse' | 'capacity' | 'uses' | 'misses' | 'peak', number>>,
  ): void {
    const index = tiers.indexOf(tier);
    const { worker } = this.counters;
    const buffers = worker + cellOf.anyport_buffers + 2 * index;
    this.#cells.set([counts.inUse, counts.capacity], buffers);
    this.#add(worker + cellOf.anyport_buffer_uses_total + index, counts.uses);
    this.#add(worker + cellOf.anyport_buffer_misses_total + index, counts.misses);
    this.#cells[worker + cellOf.anyport_buffers_peak + index] = counts.peak;
  }

  #sessionRow(listener: number, protocol: number): number {
    if (protocol < 0) return this.plan.listenerRows(listener).unknownRow;
    return this.plan.sessionRow(listener, protocol);
  }

  #add(cell: number, amount = 1): void {
    this.#cells[cell] = (this.#cells[cell] as number) + amount;
  }

  #observe(
    metric: 'anyport_identify_seconds' | 'anyport_connect_seconds' | 'anyport_session_seconds',
    row: number,
    ms: number,
  ): void {
    const bounds = bucketsOf[metric] as readonly number[];
    const seconds = ms / 1000;
    const found = bounds.findIndex((bound) => seconds <= bound);
    const first = row + cellOf[metric];
    this.#add(first + (found < 0 ? bounds.length : found));
    this.#add(first + bounds.length + 1, seconds);
  }
}
