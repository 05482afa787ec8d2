/** One run of one workload through one tunnel. Whoever brings a wrong byte, or not all, gets no figure. */
import { setTimeout as sleep } from 'node:timers/promises';
import { cpuNanoseconds, privateBytes } from '../../test/support/proc.js';
import { type Held, hold, roundTrips, transfer } from '../../test/support/tunnel-load.js';
import { type Carried, startWire, type Wire } from '../../test/support/wire.js';
import type { Client, Contender, Server } from './contenders.js';
import type { FigureName, Work, Workload } from './workloads.js';

export interface Run {
  /** Empty where something was wrong. */
  readonly figures: Readonly<Partial<Record<FigureName, number>>>;
  /** Transfers that stood still for longer than STALL_MS. */
  readonly stalls: number;
  readonly longestMs: number;
  /** Datagrams that the emulated wire could not take: the load, not the wire, was measured. */
  readonly overrun: number;
  readonly fault: string | null;
}

type Figures = Omit<Run, 'fault'>;

const STALL_MS = 2000;
/** IPv4 and UDP. */
const HEADER_BYTES = 28;
/** The session is up, code is compiled, windows have opened. */
const WARM_UP_BYTES = 8e6;
const SETTLE_MS = 100;

/** `seed`: of the wire, the same for all of a round. */
export async function measure(
  contender: Contender,
  target: number,
  workload: Workload,
  seed: number,
): Promise<Run> {
  const open: { stop(): Promise<void> }[] = [];
  const keep = <T extends { stop(): Promise<void> }>(made: T): T => {
    open.push(made);
    return made;
  };
  try {
    const server = keep(await contender.server(target, workload.settings));
    const figures =
      workload.work.kind === 'idle'
        ? await measureIdle({ contender, server, workload, keep }, workload.work.many)
        : await measureWork({ contender, server, workload, keep }, workload.work, seed);
    return { ...figures, fault: null };
  } catch (error) {
    return { figures: {}, stalls: 0, longestMs: 0, overrun: 0, fault: String(error) };
  } finally {
    for (const each of open.toReversed()) await each.stop();
  }
}

interface Stage {
  readonly contender: Contender;
  readonly server: Server;
  readonly workload: Workload;
  keep<T extends { stop(): Promise<void> }>(made: T): T;
}

async function measureWork(
  stage: Stage,
  work: Exclude<Work, { kind: 'idle' }>,
  seed: number,
): Promise<Figures> {
  const { contender, server, workload, keep } = stage;
  const wire = keep(await startWire(server.port, { ...workload.conditions, seed }));
  const client = keep(await contender.client(wire.port, workload.settings));
  return work.kind === 'ping'
    ? measurePing(client, wire, work.forMs)
    : measureTransfer(server, client, wire, work);
}

async function measureTransfer(
  server: Server,
  client: Client,
  wire: Wire,
  { direction, bytes }: Extract<Work, { kind: 'transfer' }>,
): Promise<Figures> {
  await transfer(client.port, direction, Math.min(bytes, WARM_UP_BYTES));
  await sleep(SETTLE_MS);
  const before = cpuNanoseconds(server.pid);
  await wire.carried();
  const { seconds, stallMs } = await transfer(client.port, direction, bytes);
  await sleep(SETTLE_MS);
  const used = cpuNanoseconds(server.pid) - before;
  const carried = await wire.carried();
  return {
    figures: {
      cpu: used / bytes,
      goodput: bytes / 1e6 / seconds,
      wire: bytesOnWire(carried, direction) / bytes,
    },
    stalls: stallMs > STALL_MS ? 1 : 0,
    longestMs: stallMs,
    overrun: carried.overrun,
  };
}

const bytesOnWire = (carried: Carried, direction: 'up' | 'down'): number =>
  carried[`${direction}_bytes`] + HEADER_BYTES * carried[direction];

async function measurePing({ port }: Client, wire: Wire, forMs: number): Promise<Figures> {
  const sorted = (await roundTrips(port, forMs)).sort((a, b) => a - b);
  const quantile = (share: number) => sorted[Math.floor(share * (sorted.length - 1))] ?? NaN;
  const longestMs = quantile(1);
  const { overrun } = await wire.carried();
  return {
    figures: { p50: quantile(0.5), p99: quantile(0.99) },
    stalls: longestMs > STALL_MS ? 1 : 0,
    longestMs,
    overrun,
  };
}

/** What work leaves behind is collected by then. */
const REST_MS = 12_000;
const LOOK_MS = 10_000;
const MANY = 200;
const MORE = 500;

/** CPU first: 0, 1 and, if `withMany`, 200 sessions; then the memory of 500 more. */
async function measureIdle(
  { contender, server, workload, keep }: Stage,
  withMany: boolean,
): Promise<Figures> {
  const all: Held[] = [];
  const add = async (sessions: number): Promise<void> => {
    const client = keep(await contender.client(server.port, workload.settings, sessions));
    all.push(keep(await hold(client.port, sessions)));
  };
  await sleep(REST_MS); // longer: its start is behind it
  const base = await cpuAtRest(server);
  await add(1);
  const figures: Partial<Record<FigureName, number>> = { idle1: (await cpuAtRest(server)) - base };
  if (withMany) {
    await add(MANY - 1);
    figures.idle200 = (await cpuAtRest(server)) - base;
    const before = privateBytes(server.pid);
    await add(MORE);
    await sleep(SETTLE_MS);
    figures.memory = (privateBytes(server.pid) - before) / MORE / 1000;
  }
  for (const held of all) await held.leave();
  return { figures, stalls: 0, longestMs: 0, overrun: 0 };
}

/** Milliseconds a second. */
async function cpuAtRest({ pid }: Server): Promise<number> {
  await sleep(REST_MS);
  const [before, began] = [cpuNanoseconds(pid), performance.now()];
  await sleep(LOOK_MS);
  return (cpuNanoseconds(pid) - before) / 1e3 / (performance.now() - began);
}
