/** Maps the indices of one Plan to counter rows, which are the same for every Plan. */
import type { Row, WorkerCounters } from '../metrics/counters.js';
import { NONE, type PlanIds } from '../model/ids.js';

export class PlanCounts {
  readonly counters: WorkerCounters;
  readonly #ids: PlanIds;
  /** By index of an upstream: the one whose rows it has, the first of its name. */
  readonly #counted: readonly number[];

  /** `upstreams`: of the Plan. */
  constructor(counters: WorkerCounters, ids: PlanIds, upstreams: readonly { readonly name: string }[] = []) {
    this.counters = counters;
    this.#ids = ids;
    const first = new Map(upstreams.map(({ name }, index): [string, number] => [name, index]).toReversed());
    this.#counted = upstreams.map(({ name }) => first.get(name) as number);
  }

  /** Rows of the listener and of its unidentified sessions. */
  listenerRows(listener: number): { row: Row<'listener'>; unknownRow: Row<'listener_protocol'> } {
    const id = this.#ids.listeners[listener];
    // In this order: creating the listener's row also creates the second one.
    const row = this.counters.row('listener', id);
    return { row, unknownRow: this.counters.row('listener_protocol', id, NONE) };
  }

  /** Row of a protocol at a listener. */
  sessionRow(listener: number, protocol: number): Row<'listener_protocol'> {
    const { listeners, protocols } = this.#ids;
    return this.counters.row('listener_protocol', listeners[listener], protocols[protocol]);
  }

  upstreamRow(upstream: number): Row<'upstream'> {
    return this.counters.row('upstream', this.#ids.upstreams[this.#counted[upstream] ?? upstream]);
  }

  endpointRow(upstream: number, endpoint: number): Row<'upstream_endpoint'> {
    const { upstreams, endpoints } = this.#ids;
    const counted = this.#counted[upstream] ?? upstream;
    return this.counters.row('upstream_endpoint', upstreams[counted], endpoints[counted]?.[endpoint]);
  }

  protocolRow(protocol: number): Row<'protocol'> {
    return this.counters.row('protocol', this.#ids.protocols[protocol]);
  }
}
