/**
 * The workloads as data. The proxy's CPU time is divided by the units of work. `fetch` speaks HTTP, `ping` and `hold`
 * Redis; `leave` and `stay` send too few bytes to be identified.
 */
import type { Booked, Setting } from './contender.js';

type Mode = 'fetch' | 'ping' | 'hold' | 'leave' | 'stay';

/** Method of measurement (measure.ts); `start` and `rest` have no load. */
export type Way = 'cpu' | 'memory' | 'scrape' | 'start' | 'rest';

export interface Workload {
  readonly name: string;
  readonly why: string;
  readonly unit: string;
  /** Arguments of the client after the port; absent: no client. */
  readonly client?: readonly [mode: Mode, ...numbers: number[]];
  /** Units of work per run. */
  readonly units: number;
  readonly way: Way;
  /** Label and unit of the figure, per unit of work. */
  readonly quote: Quote;
  readonly setting: Setting;
  /** Expected counters of a contender with counters, after one run. */
  readonly booked?: Partial<Booked>;
}

export interface Quote {
  readonly label: string;
  /** Nanoseconds or bytes per unit of the label. */
  readonly divisor: number;
}

const micros: Quote = { label: 'µs CPU', divisor: 1e3 };
const millis: Quote = { label: 'ms CPU', divisor: 1e6 };
const bytes: Quote = { label: 'bytes', divisor: 1 };
const mebibytes: Quote = { label: 'MiB resident', divisor: 1 << 20 };

const GIGABYTE = 1e9;
const ANSWER_BYTES = 128;
const IDENTIFY_SECONDS = 2;

type Shape = Omit<Workload, 'name' | 'why'>;

/** `scale` 1 is the full run; below 1, shorter runs of the same shape. */
export function workloads(scale: number): Workload[] {
  const times = (count: number): number => Math.max(1, Math.round(count * scale));
  return [...traffic(times), ...floods(times), ...logged(times), ...atRest(times)];
}

type Times = (count: number) => number;

const connections = (times: Times): Shape => ({
  unit: 'connection',
  client: ['fetch', 64, times(20_000), ANSWER_BYTES],
  units: times(20_000),
  way: 'cpu',
  quote: micros,
  setting: { tuning: 'messages' },
});

const ping = (connections: number, rounds: number): Shape => ({
  unit: 'round trip',
  client: ['ping', connections, rounds],
  units: connections * rounds,
  way: 'cpu',
  quote: micros,
  setting: { tuning: 'messages' },
});

function bulk(connections: number, times: Times): Shape {
  const fetches = connections * times(4 / connections);
  return {
    unit: 'GB',
    client: ['fetch', connections, fetches, GIGABYTE],
    units: fetches,
    way: 'cpu',
    quote: millis,
    setting: { tuning: 'bulk' },
  };
}

function traffic(times: Times): Workload[] {
  const sessions = times(8000);
  return [
    {
      name: 'conn',
      why: 'short connections, 64 at once: one request, 128 bytes back, closed by the server',
      ...connections(times),
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
    { name: 'bulk-1', why: '1 GB downloads, one at a time', ...bulk(1, times) },
    { name: 'bulk-4', why: '1 GB downloads, four at once', ...bulk(4, times) },
    {
      name: 'idle',
      why: 'identified sessions that are silent',
      unit: 'session',
      client: ['hold', sessions],
      units: sessions,
      way: 'memory',
      quote: bytes,
      setting: { tuning: 'messages' },
    },
  ];
}

function floods(times: Times): Workload[] {
  const openings: Omit<Shape, 'client' | 'units'> = {
    unit: 'opening',
    way: 'cpu',
    quote: micros,
    setting: { tuning: 'messages', identifySeconds: IDENTIFY_SECONDS },
  };
  const [leave, stay] = [times(20_000), times(8_000)];
  return [
    {
      name: 'flood-leave',
      why: 'clients that send two bytes, which decide nothing, and leave when 256 more have come',
      client: ['leave', 512, leave],
      units: leave,
      booked: { ended: { client_gone: leave } },
      ...openings,
    },
    {
      name: 'flood-stay',
      why: `clients that send two bytes and wait until their ${IDENTIFY_SECONDS} s are over, all at once`,
      client: ['stay', stay, stay],
      units: stay,
      booked: { ended: { identify_timeout: stay } },
      ...openings,
    },
  ];
}

function logged(times: Times): Workload[] {
  const short = connections(times);
  const round = ping(64, times(1_500));
  const setting: Setting = { tuning: 'messages', accessLog: true };
  return [
    {
      name: 'log-conn',
      why: 'the same as conn, with a line in the access log for each',
      ...short,
      setting,
      booked: { ended: { done: short.units }, lines: short.units },
    },
    {
      name: 'log-ping',
      why: 'the same as ping-64, with the access log',
      ...round,
      setting,
      booked: { lines: 64 },
    },
  ];
}

function atRest(times: Times): Workload[] {
  const rest = (workers: number): Workload => ({
    name: `rest-${workers}`,
    why: `two seconds after it is ready, ${workers} worker${workers === 1 ? '' : 's'}`,
    unit: 'process',
    units: 1,
    way: 'rest',
    quote: mebibytes,
    setting: { tuning: 'messages', workers },
  });
  return [
    {
      name: 'scrape',
      why: '/metrics of 1,000 listeners, two protocols have been served on each',
      unit: 'scrape',
      units: times(40),
      way: 'scrape',
      quote: millis,
      setting: { tuning: 'default', listeners: 1000 },
    },
    {
      name: 'start',
      why: 'from the start of the process until it accepts, one worker',
      unit: 'start',
      units: 1,
      way: 'start',
      quote: millis,
      setting: { tuning: 'messages' },
    },
    rest(1),
    rest(2),
  ];
}
