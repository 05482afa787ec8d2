/** The counters of all workers, added up; and what a worker that died leaves to settle. */
import { type Reason, reasons } from '../model/session.js';
import {
  type CountersShape,
  type HistogramCells,
  type Layout,
  type ListenerCells,
  layoutOf,
  type ProtocolCells,
} from './layout.js';

export interface HistogramTotals {
  /** Upper bounds, in seconds. */
  readonly bounds: readonly number[];
  /** Observations in each bucket alone; one more than there are bounds. */
  readonly counts: readonly number[];
  /** Seconds. */
  readonly sum: number;
}

export type ByReason = Readonly<Partial<Record<Reason, number>>>;

export interface ProtocolTotals {
  /** Empty while, or if, the protocol is not known. */
  readonly protocol: string;
  readonly bytesUp: number;
  readonly bytesDown: number;
  readonly identified: number;
  readonly active: number;
  readonly ended: ByReason;
}

export interface ListenerTotals {
  readonly name: string;
  readonly accepted: number;
  readonly refused: number;
  /** Long openings ended for another one. */
  readonly evicted: { readonly source: number; readonly worker: number };
  readonly protocols: readonly ProtocolTotals[];
}

export interface EndpointTotals {
  readonly name: string;
  readonly sessions: number;
  readonly failures: ByReason;
}

export interface UpstreamTotals {
  readonly name: string;
  readonly connectSeconds: HistogramTotals;
  readonly endpoints: readonly EndpointTotals[];
}

/** `accepted` is always the sum of `ended` over protocols and reasons, and of `active`. */
export interface Totals {
  readonly listeners: readonly ListenerTotals[];
  readonly upstreams: readonly UpstreamTotals[];
  readonly identifySeconds: HistogramTotals;
  readonly sessionSeconds: HistogramTotals;
  /** By protocol; those without failures are left out. */
  readonly validatorFailures: Readonly<Record<string, number>>;
  readonly linesDropped: number;
}

type Read = (cell: number) => number;

export function snapshot(shape: CountersShape, buffers: readonly SharedArrayBuffer[]): Totals {
  const layout = layoutOf(shape);
  const workers = buffers.map((buffer) => new Float64Array(buffer));
  return totalsOf(shape, layout, (cell) => sum(workers.map((cells) => cells[cell] as number)));
}

/** `read` may be answered by workers that go on counting. */
export function totalsOf(shape: CountersShape, layout: Layout, read: Read): Totals {
  return {
    listeners: layout.listeners.map((cells, i) => ({
      name: shape.listeners[i] as string,
      ...listenerTotals(shape, cells, read),
    })),
    upstreams: layout.upstreams.map((cells, i) => {
      const { name, endpoints } = shape.upstreams[i] as CountersShape['upstreams'][number];
      return {
        name,
        connectSeconds: histogramTotals(cells.connectSeconds, read),
        endpoints: cells.endpoints.map(({ sessions, failures }, j) => ({
          name: endpoints[j] as string,
          sessions: read(sessions),
          failures: byReason(failures, read),
        })),
      };
    }),
    identifySeconds: histogramTotals(layout.identifySeconds, read),
    sessionSeconds: histogramTotals(layout.sessionSeconds, read),
    validatorFailures: failuresByProtocol(shape.protocols, layout.validatorFailures, read),
    linesDropped: read(layout.linesDropped),
  };
}

function listenerTotals(shape: CountersShape, cells: ListenerCells, read: Read) {
  const refused = read(cells.refused);
  const known = cells.protocols.map((protocol, i) => protocolTotals(shape, protocol, i, read));
  // Read last: a worker goes on counting, and a session must not seem to end before it was accepted.
  const accepted = read(cells.accepted);
  const [unknown, ...identified] = known as [ProtocolTotals, ...ProtocolTotals[]];
  const settled = refused + sum(known.map(({ ended, active }) => sum(Object.values(ended)) + active));
  const overLimit = refused + (unknown.ended.over_limit ?? 0);
  return {
    accepted,
    refused,
    evicted: { source: read(cells.evicted), worker: read(cells.evicted + 1) },
    protocols: [
      {
        ...unknown,
        active: accepted - settled,
        ended: overLimit > 0 ? { ...unknown.ended, over_limit: overLimit } : unknown.ended,
      },
      ...identified,
    ],
  };
}

function protocolTotals(
  shape: CountersShape,
  cells: ProtocolCells,
  column: number,
  read: Read,
): ProtocolTotals {
  // Ends first: a worker lowers `active` before it counts an end, so no session is seen twice.
  const ended = byReason(cells.ended, read);
  return {
    protocol: column === 0 ? '' : (shape.protocols[column - 1] as string),
    bytesUp: read(cells.bytes),
    bytesDown: read(cells.bytes + 1),
    identified: read(cells.identified),
    active: read(cells.active),
    ended,
  };
}

function byReason(first: number, read: Read): ByReason {
  const counts = reasons.map((reason, i) => [reason, read(first + i)] as const);
  return Object.fromEntries(counts.filter(([, count]) => count > 0));
}

function failuresByProtocol(protocols: readonly string[], first: number, read: Read): Record<string, number> {
  const counts = protocols.map((protocol, i) => [protocol, read(first + i)] as const);
  return Object.fromEntries(counts.filter(([, count]) => count > 0));
}

function histogramTotals({ first, bounds }: HistogramCells, read: Read): HistogramTotals {
  const counts = Array.from({ length: bounds.length + 1 }, (_, i) => read(first + i));
  return { bounds, counts, sum: read(first + bounds.length + 1) };
}

/**
 * After a worker died its kernel sockets are closed, so every session that was open there has been reset.
 * Must run before a replacement writes to the same buffer.
 */
export function reconcile(shape: CountersShape, buffer: SharedArrayBuffer): void {
  const layout = layoutOf(shape);
  const cells = new Float64Array(buffer);
  const totals = totalsOf(shape, layout, (cell) => cells[cell] as number);
  const reset = reasons.indexOf('reset');
  for (const [l, listener] of layout.listeners.entries()) {
    for (const [p, protocol] of listener.protocols.entries()) {
      const open = totals.listeners[l]?.protocols[p]?.active ?? 0;
      cells[protocol.ended + reset] = (cells[protocol.ended + reset] as number) + open;
      cells[protocol.active] = 0;
    }
  }
  for (const { endpoints } of layout.upstreams) {
    for (const endpoint of endpoints) cells[endpoint.sessions] = 0;
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
