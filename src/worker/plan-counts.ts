/** What sessions of one Plan count: its indices become rows that are the same for every Plan. */
import type { Row, WorkerCounters } from '../metrics/counters.js';
import { NONE, type PlanIds } from '../model/ids.js';
import type { Reason } from '../model/session.js';

/** Protocol -1: not known. */
export class PlanCounts {
  readonly #counters: WorkerCounters;
  readonly #ids: PlanIds;

  constructor(counters: WorkerCounters, ids: PlanIds) {
    this.#counters = counters;
    this.#ids = ids;
  }

  /** Where the engine counts the connections of a listener. */
  listenerCells(listener: number) {
    const counters = this.#counters;
    const row = counters.row('listener', this.#ids.listeners[listener]);
    return {
      acceptedCell: counters.cell('anyport_accepted_total', row),
      refusedCell: counters.cell('anyport_refused_total', row),
      evictedCell: counters.cell('anyport_openings_evicted_total', row),
    };
  }

  /** Cell of the bytes from the client; the next one is of those to it. */
  bytesCell(listener: number, protocol: number): number {
    return this.#counters.cell('anyport_bytes_total', this.#sessions(listener, protocol));
  }

  identified(listener: number, protocol: number, ms: number): void {
    const counters = this.#counters;
    const row = this.#sessions(listener, protocol);
    counters.add('anyport_identified_total', row);
    counters.add('anyport_sessions_active', row);
    counters.observe('anyport_identify_seconds', counters.worker, ms / 1000);
  }

  connected(upstream: number, endpoint: number, ms: number): void {
    const counters = this.#counters;
    counters.add('anyport_endpoint_sessions', this.#endpoint(upstream, endpoint));
    counters.observe(
      'anyport_connect_seconds',
      counters.row('upstream', this.#ids.upstreams[upstream]),
      ms / 1000,
    );
  }

  released(upstream: number, endpoint: number): void {
    this.#counters.add('anyport_endpoint_sessions', this.#endpoint(upstream, endpoint), -1);
  }

  connectFailed(upstream: number, endpoint: number, reason: Reason): void {
    this.#counters.addBy('anyport_connect_failures_total', reason, this.#endpoint(upstream, endpoint));
  }

  /** `protocol`: as it was `identified`. */
  ended(listener: number, protocol: number, reason: Reason, durationMs: number): void {
    const counters = this.#counters;
    const row = this.#sessions(listener, protocol);
    // In this order: whoever reads meanwhile must not see the session twice.
    if (protocol >= 0) counters.add('anyport_sessions_active', row, -1);
    counters.addBy('anyport_sessions_total', reason, row);
    counters.observe('anyport_session_seconds', counters.worker, durationMs / 1000);
  }

  validatorFailed(protocol: number): void {
    const counters = this.#counters;
    counters.add('anyport_validator_failures_total', counters.row('protocol', this.#ids.protocols[protocol]));
  }

  #sessions(listener: number, protocol: number): Row<'listener_protocol'> {
    const { listeners, protocols } = this.#ids;
    return this.#counters.row(
      'listener_protocol',
      listeners[listener],
      protocol < 0 ? NONE : protocols[protocol],
    );
  }

  #endpoint(upstream: number, endpoint: number): Row<'upstream_endpoint'> {
    const { upstreams, endpoints } = this.#ids;
    return this.#counters.row('upstream_endpoint', upstreams[upstream], endpoints[upstream]?.[endpoint]);
  }
}
