/**
 * Where each count lives in a worker's buffer of 64-bit floats. Flat, and the same for every worker, so the
 * addon writes its cells by index and the primary adds the workers up cell by cell.
 */
import type { Plan } from '../model/plan.js';
import { reasons } from '../model/session.js';
import { buckets } from './catalog.js';

/** The names that counts are kept for; indices are the Plan's. Structured-clonable. */
export interface CountersShape {
  readonly listeners: readonly string[];
  readonly protocols: readonly string[];
  readonly upstreams: readonly { readonly name: string; readonly endpoints: readonly string[] }[];
}

export function shapeOf(plan: Plan): CountersShape {
  return {
    listeners: plan.listeners.map((listener) => listener.name),
    protocols: plan.protocols.map((protocol) => protocol.id),
    upstreams: plan.upstreams.map(({ name, endpoints }) => ({
      name,
      endpoints: endpoints.map((endpoint) => endpoint.name),
    })),
  };
}

/** A histogram's cells: one a bucket, the bucket without a bound, the sum. */
export interface HistogramCells {
  readonly first: number;
  /** Seconds. */
  readonly bounds: readonly number[];
}

export interface EndpointCells {
  readonly sessions: number;
  /** One cell a reason. */
  readonly failures: number;
}

export interface UpstreamCells {
  readonly connectSeconds: HistogramCells;
  readonly endpoints: readonly EndpointCells[];
}

/** Sessions of one protocol at one listener. */
export interface ProtocolCells {
  /** Two cells: up, down. */
  readonly bytes: number;
  readonly identified: number;
  /** Identified and not ended. */
  readonly active: number;
  /** One cell a reason. */
  readonly ended: number;
}

export interface ListenerCells {
  readonly accepted: number;
  readonly refused: number;
  /** Two cells: long openings ended over their source's share, and over the worker's. */
  readonly evicted: number;
  /** By protocol; those of sessions without one come first. */
  readonly protocols: readonly ProtocolCells[];
}

export interface Layout {
  readonly cells: number;
  readonly listeners: readonly ListenerCells[];
  readonly upstreams: readonly UpstreamCells[];
  readonly identifySeconds: HistogramCells;
  readonly sessionSeconds: HistogramCells;
  /** By protocol. */
  readonly validatorFailures: number;
  readonly linesDropped: number;
}

export function layoutOf(shape: CountersShape): Layout {
  let cells = 0;
  const take = (count: number) => {
    cells += count;
    return cells - count;
  };
  const histogram = (bounds: readonly number[]) => ({ first: take(bounds.length + 2), bounds });
  const protocol = () => ({
    bytes: take(2),
    identified: take(1),
    active: take(1),
    ended: take(reasons.length),
  });
  const listener = () => ({
    accepted: take(1),
    refused: take(1),
    evicted: take(2),
    protocols: ['', ...shape.protocols].map(protocol),
  });
  const endpoint = () => ({ sessions: take(1), failures: take(reasons.length) });
  const layout = {
    listeners: shape.listeners.map(listener),
    upstreams: shape.upstreams.map(({ endpoints }) => ({
      connectSeconds: histogram(buckets.connect),
      endpoints: endpoints.map(endpoint),
    })),
    identifySeconds: histogram(buckets.identify),
    sessionSeconds: histogram(buckets.session),
    validatorFailures: take(shape.protocols.length),
    linesDropped: take(1),
  };
  return { cells, ...layout };
}
