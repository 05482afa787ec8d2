/** One run of one workload through one contender. Every answer is checked; a wrong one throws. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { cpuNanoseconds, privateBytes, residentBytes } from '../../test/support/proc.js';
import { collect } from '../../test/support/process.js';
import type { Booked, Contender } from './contender.js';
import { measureScrape } from './scrape.js';
import { measureTail } from './tail.js';
import type { Way, Workload } from './workloads.js';

export interface Run {
  /** CPU nanoseconds or bytes of memory of the proxy per unit, null without a proxy; or p99.9 of the units, in nanoseconds. */
  readonly cost: number | null;
  /** Units of work per second of wall time; comparable within one run only. NaN without work. */
  readonly rate: number;
  /** Nanoseconds, where the cost is a duration. */
  readonly quantiles?: { readonly p50: number; readonly p99: number };
}

/** Time for garbage collection and the last closes after a burst. */
const SETTLE_MS = 500;
/** Time for garbage collection after a start. */
const REST_MS = 2000;

/** One round trip on each of 64 connections, so often. */
const WARM_UP: Pick<Workload, 'client'> = { client: ['ping', 64, 1] };
const WARM_UP_ROUNDS = 32;
/** Sessions before those that are measured for memory. */
export const warmUpSessions = 64 * WARM_UP_ROUNDS;

/** The program of the clients, and what runs it. */
type Command = readonly string[];

type Measure = (client: Command, workload: Workload, contender: Contender) => Promise<Run>;

const ways = {
  cpu: measureCpu,
  held: measureHeld,
  memory: measureMemory,
  scrape: (_client, workload, contender) => measureScrape(workload, contender),
  start: measureStart,
  rest: measureRest,
  tail: (client, workload, contender) => measureTail(workload, contender, client.slice(0, -1)),
} satisfies Record<Way, Measure>;

export async function measure(client: Command, workload: Workload, contender: Contender): Promise<Run> {
  const run = () => ways[workload.way](client, workload, contender);
  const { booked } = workload;
  if (!booked || !contender.books) return run();
  const reasons = Object.keys(booked.ended ?? {});
  const before = await contender.books(reasons);
  const figures = await run();
  compareBooks(booked, before, await contender.books(reasons));
  return figures;
}

function compareBooks(wanted: Partial<Booked>, before: Partial<Booked>, after: Partial<Booked>): void {
  for (const [reason, count] of Object.entries(after.ended ?? {})) {
    const ended = count - (before.ended?.[reason] ?? 0);
    if (ended !== wanted.ended?.[reason]) throw new Error(`${ended} sessions ended as ${reason}`);
  }
  if (wanted.lines === undefined || after.lines === undefined) return;
  const lines = after.lines - (before.lines ?? 0);
  if (lines !== wanted.lines) throw new Error(`${lines} lines in the access log`);
}

async function measureCpu(client: Command, workload: Workload, { port, pid }: Contender): Promise<Run> {
  const before = pid === null ? 0 : cpuNanoseconds(pid);
  const { meanwhile } = workload;
  const loads = [workload, ...(meanwhile ? [{ client: meanwhile }] : [])].map((load) =>
    startClient(client, load, port),
  );
  for (const { stdin } of loads) stdin.end();
  const seconds = Math.max(...(await Promise.all(loads.map((load) => load.done()))));
  // All answers have arrived, but the last closes may be pending.
  await sleep(SETTLE_MS);
  const cost = pid === null ? null : (cpuNanoseconds(pid) - before) / workload.units;
  return { cost, rate: workload.units / seconds };
}

/** Round trips on some of the connections, when all are open. */
async function measureHeld(client: Command, workload: Workload, { port, pid }: Contender): Promise<Run> {
  const load = startClient(client, workload, port);
  await load.held();
  await sleep(SETTLE_MS);
  const before = pid === null ? 0 : cpuNanoseconds(pid);
  load.stdin.write('\n');
  const seconds = await load.held();
  const cost = pid === null ? null : (cpuNanoseconds(pid) - before) / workload.units;
  load.stdin.end();
  await load.done();
  await sleep(SETTLE_MS);
  return { cost, rate: workload.units / seconds };
}

/**
 * What idle sessions hold, beyond what any session leaves (compiled code, a young generation in use): sessions a few at a
 * time come first, which fill no table.
 */
async function measureMemory(client: Command, workload: Workload, { port, pid }: Contender): Promise<Run> {
  await warmUp(client, port);
  const before = pid === null ? 0 : privateBytes(pid);
  const load = startClient(client, workload, port);
  const seconds = await load.held();
  await sleep(SETTLE_MS);
  const cost = pid === null ? null : (privateBytes(pid) - before) / workload.units;
  load.stdin.end();
  await load.done();
  return { cost, rate: workload.units / seconds };
}

async function warmUp(client: Command, port: number): Promise<void> {
  for (let round = 0; round < WARM_UP_ROUNDS; round += 1) {
    const load = startClient(client, WARM_UP, port);
    load.stdin.end();
    await load.done();
  }
  await sleep(SETTLE_MS);
}

async function measureStart(_client: Command, _workload: Workload, { start }: Contender): Promise<Run> {
  return { cost: start.cpuNanoseconds, rate: 1 / start.seconds };
}

async function measureRest(_client: Command, _workload: Workload, { pid }: Contender): Promise<Run> {
  await sleep(REST_MS);
  return { cost: pid === null ? null : residentBytes(pid), rate: NaN };
}

function startClient(client: Command, { client: run }: Pick<Workload, 'client'>, port: number) {
  const [mode = '', ...numbers] = run ?? [];
  const [program = '', ...args] = [...client, mode, `${port}`, ...numbers.map(String)];
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  const errors = collect(child.stderr);
  const output = collect(child.stdout);
  const closed = once(child, 'close') as Promise<[number | null]>;
  const seconds = (): number =>
    Number(
      output()
        .match(/(?<=^ok )[\d.]+/gm)
        ?.at(-1),
    );
  return {
    stdin: child.stdin,
    /** Resolves when all connections are open and idle, again. */
    held: async () => {
      await Promise.race([once(child.stdout, 'data'), closed]);
      if (child.exitCode !== null) throw new Error(`client ${mode}: ${errors().trim()}`);
      return seconds();
    },
    done: async () => {
      const [status] = await closed;
      if (status !== 0) throw new Error(`client ${mode}: ${errors().trim()}`);
      return seconds();
    },
  };
}
