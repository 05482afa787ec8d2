/**
 * The workloads as data. The proxy's CPU time is divided by the units of work. `fetch` speaks HTTP, `ping` and `hold`
 * Redis, `hello` TLS; `leave` and `stay` send too few bytes to be identified, `refused` none.
 */
import type { Booked, Setting } from './contender.js';
import type { Beside } from './tail.js';

type Mode = 'fetch' | 'hello' | 'ping' | 'hold' | 'leave' | 'stay' | 'refused';

/** Arguments of the client after the port. */
type Load = readonly [mode: Mode, ...numbers: number[]];

/** Method of measurement (measure.ts); `start` and `rest` have no load. */
export type Way = 'cpu' | 'held' | 'memory' | 'scrape' | 'start' | 'rest' | 'tail';

export interface Workload {
  readonly name: string;
  readonly why: string;
  readonly unit: string;
  /** Absent: no client. */
  readonly client?: Load;
  /** A second client at the same time, whose units count too. */
  readonly meanwhile?: Load;
  /** What the proxy does beside the round trips of `tail`. */
  readonly beside?: Beside;
  /** Units of work per run. */
  readonly units: number;
  /** Units a second that are due; absent: as many as are answered. */
  readonly rate?: number;
  readonly way: Way;
  /** Label and unit of the figure, per unit of work. */
  readonly quote: Quote;
  readonly setting: Setting;
  /** Expected counters of a contender with counters, after one run. */
  readonly booked?: Partial<Booked>;
  /** anyport itself, otherwise: name → what differs. */
  readonly variants?: Readonly<Record<string, Variant>>;
  /** What anyport is to reach. */
  readonly goals?: readonly Goal[];
}

export interface Variant extends Partial<Pick<Workload, 'client' | 'units' | 'booked'>> {
  readonly setting?: Partial<Setting>;
}

/** `to`: the contender or variant whose ratio it is of; absent: the figure itself. */
export interface Goal {
  readonly to?: string;
  readonly atMost: number;
}

export interface Quote {
  readonly label: string;
  /** Nanoseconds or bytes per unit of the label. */
  readonly divisor: number;
}

const micros: Quote = { label: 'µs CPU', divisor: 1e3 };
const millis: Quote = { label: 'ms CPU', divisor: 1e6 };
const p999: Quote = { label: 'µs p99.9', divisor: 1e3 };
const bytes: Quote = { label: 'bytes', divisor: 1 };
const mebibytes: Quote = { label: 'MiB resident', divisor: 1 << 20 };

const GIGABYTE = 1e9;
const ANSWER_BYTES = 128;
const IDENTIFY_SECONDS = 2;
const HELD = 9_000;
const ACTIVE = 90;
/** Of the hello that the clients send: bench/system/load/hello.h. */
const HELLO_NAME = 'bench.example.com';

type Shape = Omit<Workload, 'name' | 'why'>;

/** `scale` 1 is the full run; below 1, shorter runs of the same shape. */
export function workloads(scale: number): Workload[] {
  const times = (count: number): number => Math.max(1, Math.round(count * scale));
  return [
    ...traffic(times),
    ...downloads(times),
    ...held(times),
    ...floods(times),
    ...logged(times),
    ...scaled(times),
    ...tails(times),
    ...atRest(times),
  ];
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

function bulk(connections: number, times: Times, tuning: Setting['tuning'] = 'bulk'): Shape {
  const fetches = connections * times(4 / connections);
  return {
    unit: 'GB',
    client: ['fetch', connections, fetches, GIGABYTE],
    units: fetches,
    way: 'cpu',
    quote: millis,
    setting: { tuning },
  };
}

const toHaproxy = (atMost: number): Goal => ({ to: 'HAProxy', atMost });

function traffic(times: Times): Workload[] {
  const hellos = times(20_000);
  return [
    {
      name: 'conn',
      why: 'short connections, 64 at once: one request, 128 bytes back, closed by the server',
      ...connections(times),
      goals: [toHaproxy(0.85), { to: 'floor', atMost: 1 }],
    },
    {
      name: 'tls-sni',
      why: 'the same with a TLS hello of 517 bytes, routed by its server name, which comes back whole',
      ...connections(times),
      client: ['hello', 64, hellos],
      units: hellos,
      setting: { tuning: 'messages', sni: HELLO_NAME },
      goals: [toHaproxy(0.85)],
    },
    {
      name: 'ping-1',
      why: '64-byte round trips on one connection',
      ...ping(1, times(20_000)),
      goals: [toHaproxy(0.78)],
    },
    {
      name: 'ping-64',
      why: '64-byte round trips on 64 connections',
      ...ping(64, times(1_500)),
      goals: [toHaproxy(0.85)],
    },
  ];
}

function downloads(times: Times): Workload[] {
  const byDefault = 'each proxy as it is without tuning';
  return [
    {
      name: 'bulk-1',
      why: '1 GB downloads, one at a time',
      ...bulk(1, times),
      goals: [toHaproxy(0.98)],
    },
    { name: 'bulk-4', why: '1 GB downloads, four at once', ...bulk(4, times) },
    {
      name: 'bulk-8',
      why: '1 GB downloads, eight at once',
      ...bulk(8, times),
      goals: [toHaproxy(0.95)],
    },
    {
      name: 'default-bulk-1',
      why: `1 GB downloads, one at a time, ${byDefault}`,
      ...bulk(1, times, 'default'),
      goals: [toHaproxy(0.35)],
    },
    {
      name: 'default-bulk-8',
      why: `1 GB downloads, eight at once, ${byDefault}`,
      ...bulk(8, times, 'default'),
      goals: [toHaproxy(0.35)],
    },
  ];
}

function held(times: Times): Workload[] {
  const sessions = times(8000);
  const rounds = times(300);
  const few = 64;
  const active = (connections: number, speaking: number) =>
    ({
      client: ['hold', connections, speaking, rounds],
      units: speaking * rounds,
    }) as const;
  return [
    {
      name: 'held',
      why: `64-byte round trips on ${ACTIVE} of ${HELD} connections, which are all open`,
      unit: 'round trip',
      ...active(HELD, ACTIVE),
      way: 'held',
      quote: micros,
      setting: { tuning: 'messages' },
      variants: { [`${few} held`]: active(few, few) },
      goals: [{ to: `${few} held`, atMost: 1.1 }],
    },
    {
      name: 'idle',
      why: 'identified sessions that are silent',
      unit: 'session',
      client: ['hold', sessions],
      units: sessions,
      way: 'memory',
      quote: bytes,
      setting: { tuning: 'messages' },
      goals: [{ atMost: 256 }],
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
  const [leave, stay, normal] = [times(20_000), times(8_000), times(10_000)];
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
    {
      name: 'flood-mixed',
      why: 'clients that leave so, and short connections at the same time, 16 at once',
      ...openings,
      unit: 'connection',
      client: ['leave', 512, leave],
      meanwhile: ['fetch', 16, normal, ANSWER_BYTES],
      units: leave + normal,
      booked: { ended: { client_gone: leave, done: normal } },
      goals: [toHaproxy(0.92)],
    },
    {
      name: 'refused',
      why: 'connections from a network that is refused, 64 at once',
      ...openings,
      unit: 'connection',
      client: ['refused', 64, leave],
      units: leave,
      setting: { tuning: 'messages', refused: '127.0.0.0/8' },
      booked: { ended: { denied: leave } },
      goals: [toHaproxy(0.85)],
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
      variants: {
        'no log': { setting: { accessLog: false }, booked: { ended: { done: short.units }, lines: 0 } },
      },
      goals: [toHaproxy(0.9), { to: 'no log', atMost: 1.05 }],
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

/** Whether a second worker costs more than it does. */
const scaled = (times: Times): Workload[] => [
  {
    name: 'workers-2',
    why: 'the same as conn, with two workers on two cores, which the load shares where there are no more',
    ...connections(times),
    setting: { tuning: 'messages', workers: 2 },
    variants: { 'one worker': { setting: { workers: 1 } } },
    goals: [{ to: 'one worker', atMost: 1.05 }],
  },
];

function tails(times: Times): Workload[] {
  const tail = (name: string, why: string, beside: Beside, setting: Partial<Setting>): Workload => ({
    name: `tail-${name}`,
    why: `64-byte round trips on 64 connections at half load, ${why}`,
    unit: 'round trip',
    client: ['ping', 64],
    units: times(100_000),
    way: 'tail',
    quote: p999,
    beside,
    setting: { tuning: 'messages', ...setting },
    goals: [toHaproxy(1)],
  });
  const [scrapes, reloads, sessions] = [{ scrapes: 10 }, { reloads: 1 }, { sessions: 1000 }];
  const operated = { operated: true } as const;
  const collects = { collects: 'garbage' } as const;
  return [
    tail('quiet', 'and nothing else', {}, {}),
    tail('garbage', 'all threads of anyport collect garbage of many objects', {}, collects),
    tail(
      'compaction',
      'all threads of anyport compact their heaps at once, twice a second',
      {},
      { collects: 'compaction' },
    ),
    tail('scrapes', '/metrics is asked for ten times a second', scrapes, operated),
    tail('reloads', 'the configuration is replaced once a second', reloads, operated),
    tail('sessions', 'a thousand short sessions a second come and go', sessions, {}),
    tail(
      'all',
      'all but compactions at once',
      { ...scrapes, ...reloads, ...sessions },
      { ...operated, ...collects },
    ),
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
    { ...rest(1), goals: [{ atMost: 64 }] },
    rest(2),
  ];
}
