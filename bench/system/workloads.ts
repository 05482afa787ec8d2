/**
 * The four workloads as data. A unit of work is what the proxy's CPU time is divided by.
 * All are identified: `fetch` opens as HTTP, `ping` and `hold` as Redis.
 */
import type { Splicing } from './contenders.js';

export interface Workload {
  readonly name: string;
  readonly why: string;
  readonly unit: string;
  /** Arguments of the client after the port. */
  readonly client: readonly [mode: 'fetch' | 'ping' | 'hold', ...numbers: number[]];
  /** Units of work in one run. */
  readonly units: number;
  /** What is quoted of the proxy, per unit of work. */
  readonly quote: Quote;
  /** With which it does this work best. */
  readonly haproxySplices: Splicing;
}

export interface Quote {
  readonly of: 'cpu' | 'memory';
  readonly label: string;
  /** Nanoseconds or bytes in one of what the label says. */
  readonly divisor: number;
}

const micros: Quote = { of: 'cpu', label: 'µs CPU', divisor: 1e3 };
const millis: Quote = { of: 'cpu', label: 'ms CPU', divisor: 1e6 };
const bytes: Quote = { of: 'memory', label: 'bytes', divisor: 1 };

const GIGABYTE = 1e9;
const ANSWER_BYTES = 128;

/** `scale` 1 is the full run; below, shorter runs of the same shape. */
export function workloads(scale: number): Workload[] {
  const times = (count: number): number => Math.max(1, Math.round(count * scale));
  const bulk = (connections: number): Omit<Workload, 'name' | 'why'> => {
    const fetches = connections * times(4 / connections);
    return {
      unit: 'GB',
      client: ['fetch', connections, fetches, GIGABYTE],
      units: fetches,
      quote: millis,
      haproxySplices: 'always',
    };
  };
  const ping = (connections: number, rounds: number): Omit<Workload, 'name' | 'why'> => ({
    unit: 'round trip',
    client: ['ping', connections, rounds],
    units: connections * rounds,
    quote: micros,
    haproxySplices: 'auto',
  });
  const sessions = times(8000);
  return [
    {
      name: 'conn',
      why: 'short connections, 64 at once: one request, 128 bytes back, closed by the server',
      unit: 'connection',
      client: ['fetch', 64, times(20_000), ANSWER_BYTES],
      units: times(20_000),
      quote: micros,
      haproxySplices: 'auto',
    },
    {
      name: 'ping-1',
      why: '64-byte round trips on one connection',
      ...ping(1, times(20_000)),
    },
    {
      name: 'ping-64',
      why: '64-byte round trips on 64 connections',
      ...ping(64, times(1_500)),
    },
    { name: 'bulk-1', why: '1 GB downloads, one at a time', ...bulk(1) },
    { name: 'bulk-4', why: '1 GB downloads, four at once', ...bulk(4) },
    {
      name: 'idle',
      why: 'identified sessions that are silent',
      unit: 'session',
      client: ['hold', sessions],
      units: sessions,
      quote: bytes,
      haproxySplices: 'auto',
    },
  ];
}
