/** The workloads as data: what flows carry, what is measured, and what of it is to be reached. */
import type { Shape } from '../../test/support/exchange.js';

/**
 * `relayed`: CPU per datagram of flows that go on; `created`: CPU per flow, of its first datagram and the answer;
 * `memory` and `rest`: of flows that are idle.
 */
export type Way = 'relayed' | 'created' | 'memory' | 'rest';

/** Upper bounds: the least, what is aimed at, and what the bare relay reaches. */
export interface Targets {
  readonly must: number;
  readonly target: number;
  readonly stretch: number;
  /** `ratio`: to nginx in the same round. */
  readonly of: 'ratio' | 'value';
}

export interface Workload {
  readonly name: string;
  readonly why: string;
  readonly way: Way;
  readonly shape: Shape;
  /** The endpoint sends the answers to a request as one segmented message, and clients read with UDP_GRO. */
  readonly offload?: true;
  /** Datagrams are DNS queries: one of our contenders identifies and routes them. */
  readonly identified?: true;
  /** A flow ends with its answer. */
  readonly once?: true;
  /** Absent: the figure is told, or datagrams are checked alone. */
  readonly targets?: Targets;
}

/** Of the quotient of a figure in nanoseconds or bytes. */
export interface Quote {
  readonly label: string;
  readonly divisor: number;
}

export const quotes = {
  relayed: { label: 'µs CPU per datagram', divisor: 1e3 },
  created: { label: 'µs CPU per flow', divisor: 1e3 },
  memory: { label: 'bytes per flow', divisor: 1 },
  rest: { label: '% of a core', divisor: 1 },
} satisfies Record<Way, Quote>;

/** Units that the cost of a run is divided by: a request and its answers are each relayed once. */
export function unitsOf({ way, shape: { flows = 1, rounds = 1, answers = 1 } }: Workload): number {
  return way === 'relayed' ? flows * rounds * (1 + answers) : flows;
}

export const roundsOf = ({ flows = 1, rounds = 1 }: Shape): number => flows * rounds;

const ratio = (must: number, target: number, stretch: number): Targets => ({
  must,
  target,
  stretch,
  of: 'ratio',
});
const value = (must: number, target: number, stretch: number): Targets => ({
  must,
  target,
  stretch,
  of: 'value',
});

const DATAGRAM_MAX = 65_507;

/** `scale` 1 is the full run; below 1, shorter runs of the same shape. */
export function workloads(scale: number): Workload[] {
  const times = (count: number): number => Math.max(1, Math.round(count * scale));
  return [...relayed(times), ...created(times), ...idle()];
}

type Times = (count: number) => number;

function relayed(times: Times): Workload[] {
  const crowd = { flows: 64, window: 4, rounds: times(1500) };
  const fan = { flows: 16, rounds: times(600), bytes: 64, answers: 16, answer_bytes: 1200 };
  return [
    {
      name: 'ping1',
      why: '64-byte round trips of one flow, one at a time',
      way: 'relayed',
      shape: { rounds: times(10_000), bytes: 64 },
      targets: ratio(1, 0.95, 0.87),
    },
    {
      name: 'ping64',
      why: '64-byte round trips of 64 flows, 4 under way in each',
      way: 'relayed',
      shape: { ...crowd, bytes: 64 },
      targets: ratio(0.9, 0.8, 0.74),
    },
    {
      name: 'big64',
      why: 'the same with 1,200 bytes each way',
      way: 'relayed',
      shape: { ...crowd, bytes: 1200 },
      targets: ratio(0.9, 0.8, 0.74),
    },
    {
      name: 'fan',
      why: '16 flows, one request of 64 bytes and 16 answers of 1,200 at a time',
      way: 'relayed',
      shape: fan,
      targets: ratio(0.95, 0.88, 0.83),
    },
    {
      name: 'fanoff',
      why: 'the same, with segmented sends and receives at both ends',
      way: 'relayed',
      shape: { ...fan, offload: 1 },
      offload: true,
      targets: ratio(0.4, 0.2, 0.16),
    },
    {
      name: 'largest',
      why: `${DATAGRAM_MAX.toLocaleString('en')} bytes both ways`,
      way: 'relayed',
      shape: { flows: 4, rounds: times(200), bytes: DATAGRAM_MAX },
    },
  ];
}

const created = (times: Times): Workload[] => [
  {
    name: 'new',
    why: 'a DNS query and its answer are all of a flow, 64 at once; flows stay',
    way: 'created',
    shape: { flows: times(4000), active: 64, dns: 1 },
    identified: true,
    targets: ratio(0.85, 0.75, 0.67),
  },
  {
    name: 'once',
    why: 'the same, and the answer ends the flow',
    way: 'created',
    shape: { flows: times(4000), active: 64, dns: 1 },
    identified: true,
    once: true,
  },
];

const IDLE: Shape = { flows: 5000, active: 64, hold: 1 };

const idle = (): Workload[] => [
  {
    name: 'idle',
    why: '5,000 flows that are silent: memory of user space',
    way: 'memory',
    shape: IDLE,
    targets: value(600, 300, 150),
  },
  {
    name: 'rest',
    why: 'the same: CPU of the process',
    way: 'rest',
    shape: IDLE,
    targets: value(0.1, 0.02, 0),
  },
];
