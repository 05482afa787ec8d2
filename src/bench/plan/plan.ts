/** From what one of each costs to what a load takes. Pure. */
import { memoryCosts } from '../../budget/memory.js';
import type { Accept } from '../workloads/workload.js';
import type { Basis, Cost } from './basis.js';
import type { Wanted } from './wanted.js';

export interface Plan {
  readonly workers: number;
  readonly accept: Accept;
  /** How much more than the average the busiest worker of `reuseport` gets of the connections, as a share. */
  readonly excess: number;
  readonly cores: Cores;
  readonly memory: readonly MemoryPart[];
  /** What was wanted and not measured. */
  readonly unknown: readonly string[];
}

/** That the daemon takes: likely, and by the cheapest and the dearest round. */
export interface Cores {
  readonly likely: number;
  readonly low: number;
  readonly high: number;
  readonly parts: readonly CorePart[];
}

export interface CorePart {
  readonly what: string;
  readonly cores: number;
  readonly cost: Cost;
}

export interface MemoryPart {
  readonly what: string;
  readonly bytes: number;
  readonly confidence: string;
}

/** Share of a worker's core that is planned for: above, a burst finds a queue, and latency rises (docs/bench.md). */
export const BUSY_MAX = 0.6;
/** Excess from which on the primary had better hand connections out: one by one, to the worker with the fewest. */
const EXCESS_MAX = 0.1;
/** A session that lives shorter is followed by others, and the workers are even over time. */
const LONG_SECONDS = 30;

/** Of a session: the client's and the endpoint's. */
const SOCKETS = 2;
/** Under way per session that moves bytes: what a delay of this time holds at the wanted rate, twice. */
const UNDER_WAY_SECONDS = 0.05;

export function planFor(wanted: Wanted, basis: Basis): Plan {
  const needs = [
    { what: 'new connections', wanted: wanted.connectionsPerSecond, cost: basis.connection },
    { what: 'bytes', wanted: wanted.bytesPerSecond / 1e9, cost: basis.gigabyte },
    { what: 'messages', wanted: wanted.messagesPerSecond, cost: basis.message },
  ].filter((need) => need.wanted > 0);
  const cores = coresFor(needs);
  const workers = Math.max(1, Math.ceil(cores.high / BUSY_MAX));
  const excess = excessOf(wanted.connections, workers);
  const isLong = wanted.connectionsPerSecond * LONG_SECONDS < wanted.connections;
  return {
    workers,
    accept: excess > EXCESS_MAX && isLong ? 'handoff' : 'reuseport',
    excess,
    cores,
    memory: memoryFor(wanted, basis, workers),
    unknown: needs.filter(({ cost }) => cost === null).map(({ what }) => what),
  };
}

interface Need {
  readonly what: string;
  readonly wanted: number;
  readonly cost: Cost | null;
}

function coresFor(needs: readonly Need[]): Cores {
  const measured = needs.flatMap(({ cost, ...need }) => (cost === null ? [] : [{ ...need, cost }]));
  const sum = (of: 'each' | 'low' | 'high'): number =>
    measured.reduce((all, need) => all + (need.wanted * need.cost[of]) / 1e9, 0);
  return {
    likely: sum('each'),
    low: sum('low'),
    high: sum('high'),
    parts: measured.map(({ what, wanted, cost }) => ({ what, cores: (wanted * cost.each) / 1e9, cost })),
  };
}

/** The kernel chooses a worker by a hash: so much more than the average the fullest of some random bins holds. */
function excessOf(connections: number, workers: number): number {
  return workers < 2 ? 0 : Math.sqrt((2 * Math.log(workers) * workers) / connections);
}

function memoryFor(
  { connections, bytesPerSecond }: Wanted,
  { session, rest }: Basis,
  workers: number,
): MemoryPart[] {
  const more = rest === null ? 0 : Math.max(0, workers - rest.workers);
  return [
    ...(rest === null ? [] : [{ what: 'the daemon at rest', bytes: rest.bytes, confidence: 'measured' }]),
    ...(more > 0
      ? [{ what: `${more} more workers`, bytes: more * memoryCosts.worker, confidence: 'measured elsewhere' }]
      : []),
    ...(session === null
      ? []
      : [{ what: 'sessions', bytes: connections * session.each, confidence: `measured: ${session.from}` }]),
    { what: 'a reload, while it lasts', bytes: memoryCosts.reading, confidence: 'measured elsewhere' },
    {
      what: 'their sockets, in the kernel',
      bytes: connections * SOCKETS * memoryCosts.socket,
      confidence: 'an estimate',
    },
    {
      what: 'bytes under way, in the kernel',
      bytes: bytesPerSecond * UNDER_WAY_SECONDS * 2,
      confidence: `an estimate: ${UNDER_WAY_SECONDS * 1000} ms of each direction`,
    },
  ].filter(({ bytes }) => bytes > 0);
}
