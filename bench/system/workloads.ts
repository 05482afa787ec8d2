/**
 * The four workloads as data. A unit of work is what the proxy's CPU time is divided by.
 * All are identified: `fetch` opens as HTTP, `ping` and `hold` as Redis.
 */
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
  const bulk = (connections: number): Pick<Workload, 'client' | 'units'> => {
    const fetches = connections * times(4 / connections);
    return { client: ['fetch', connections, fetches, GIGABYTE], units: fetches };
  };
  const ping = (connections: number, rounds: number): Pick<Workload, 'client' | 'units'> => ({
    client: ['ping', connections, rounds],
    units: connections * rounds,
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
    },
    {
      name: 'ping-1',
      why: '64-byte round trips on one connection',
      unit: 'round trip',
      ...ping(1, times(20_000)),
      quote: micros,
    },
    {
      name: 'ping-64',
      why: '64-byte round trips on 64 connections',
      unit: 'round trip',
      ...ping(64, times(1_500)),
      quote: micros,
    },
    { name: 'bulk-1', why: '1 GB downloads, one at a time', unit: 'GB', ...bulk(1), quote: millis },
    { name: 'bulk-4', why: '1 GB downloads, four at once', unit: 'GB', ...bulk(4), quote: millis },
    {
      name: 'idle',
      why: 'identified sessions that are silent',
      unit: 'session',
      client: ['hold', sessions],
      units: sessions,
      quote: bytes,
    },
  ];
}
