/**
 * What one worker counts. Its buffer is written by that worker alone (this class, and the addon for the cells
 * that change as bytes flow) and read by the primary without a message.
 */
import { type Reason, reasons } from '../model/session.js';
import {
  type CountersShape,
  type HistogramCells,
  type Layout,
  type ListenerCells,
  layoutOf,
  type ProtocolCells,
  type UpstreamCells,
} from './layout.js';

export { type CountersShape, shapeOf } from './layout.js';

export function createCounters(shape: CountersShape): SharedArrayBuffer {
  return new SharedArrayBuffer(layoutOf(shape).cells * Float64Array.BYTES_PER_ELEMENT);
}

/** Listeners, protocols, upstreams and endpoints are named by their Plan indices; protocol -1: not known. */
export class WorkerCounters {
  readonly #layout: Layout;
  readonly #cells: Float64Array;

  constructor(shape: CountersShape, buffer: SharedArrayBuffer) {
    this.#layout = layoutOf(shape);
    this.#cells = new Float64Array(buffer);
  }

  /** Cell of the connections accepted, refused ones included. */
  acceptedCell(listener: number): number {
    return this.#listener(listener).accepted;
  }

  /** Cell of the connections refused over the limit; such a session is ended by being counted here. */
  refusedCell(listener: number): number {
    return this.#listener(listener).refused;
  }

  /** Cell of the long openings ended over their source's share; the next one is of those over the worker's. */
  evictedCell(listener: number): number {
    return this.#listener(listener).evicted;
  }

  /** Cell of the bytes from the client; the next one is of those to it. */
  bytesCell(listener: number, protocol: number): number {
    return this.#protocol(listener, protocol).bytes;
  }

  identified(listener: number, protocol: number, ms: number): void {
    const cells = this.#protocol(listener, protocol);
    this.#add(cells.identified, 1);
    this.#add(cells.active, 1);
    this.#observe(this.#layout.identifySeconds, ms);
  }

  connected(upstream: number, endpoint: number, ms: number): void {
    this.#add(this.#endpoint(upstream, endpoint).sessions, 1);
    this.#observe(this.#upstream(upstream).connectSeconds, ms);
  }

  released(upstream: number, endpoint: number): void {
    this.#add(this.#endpoint(upstream, endpoint).sessions, -1);
  }

  connectFailed(upstream: number, endpoint: number, reason: Reason): void {
    this.#add(this.#endpoint(upstream, endpoint).failures + reasons.indexOf(reason), 1);
  }

  /** `wasIdentified`: `identified` was called for this session, with this protocol. */
  ended(
    listener: number,
    protocol: number,
    reason: Reason,
    durationMs: number,
    wasIdentified: boolean,
  ): void {
    const cells = this.#protocol(listener, protocol);
    // In this order: whoever reads meanwhile must not see the session twice.
    if (wasIdentified) this.#add(cells.active, -1);
    this.#add(cells.ended + reasons.indexOf(reason), 1);
    this.#observe(this.#layout.sessionSeconds, durationMs);
  }

  /** A validator threw, took too long or gave no answer. */
  validatorFailed(protocol: number): void {
    this.#add(this.#layout.validatorFailures + protocol, 1);
  }

  /** Log lines over their rate limit. */
  linesDropped(count: number): void {
    this.#add(this.#layout.linesDropped, count);
  }

  #add(cell: number, value: number): void {
    this.#cells[cell] = (this.#cells[cell] as number) + value;
  }

  #observe({ first, bounds }: HistogramCells, ms: number): void {
    const seconds = ms / 1000;
    let bucket = 0;
    while (bucket < bounds.length && seconds > (bounds[bucket] as number)) bucket += 1;
    this.#add(first + bucket, 1);
    this.#add(first + bounds.length + 1, seconds);
  }

  #listener(listener: number): ListenerCells {
    return this.#layout.listeners[listener] as ListenerCells;
  }

  #protocol(listener: number, protocol: number): ProtocolCells {
    return this.#listener(listener).protocols[protocol + 1] as ProtocolCells;
  }

  #upstream(upstream: number): UpstreamCells {
    return this.#layout.upstreams[upstream] as UpstreamCells;
  }

  #endpoint(upstream: number, endpoint: number) {
    return this.#upstream(upstream).endpoints[endpoint] as UpstreamCells['endpoints'][number];
  }
}
