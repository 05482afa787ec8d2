/** One run of one workload through one relay. Faults are counted, and whoever has any gets no figure. */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Exchange,
  type Exchanged,
  type ExchangeEndpoint,
  type Faults,
  faultNames,
  noFaults,
  type Shape,
  startExchange,
} from '../../test/support/exchange.js';
import { cpuNanoseconds, privateBytes } from '../../test/support/proc.js';
import { cores, type Relay } from './contenders.js';
import { roundsOf, unitsOf, type Way, type Workload } from './workloads.js';

export interface Run {
  /** CPU nanoseconds, bytes or percent, per unit; null without a relay. */
  readonly cost: number | null;
  /** Share of the time in which the relay had its core; null without a relay or without work. */
  readonly busy: number | null;
  /** Units per second of wall time. */
  readonly rate: number;
  readonly faults: Faults;
}

type Figures = Pick<Run, 'cost' | 'busy'> & { readonly exchanged: Exchanged };

/** Time for what a relay does after the last answer. */
const SETTLE_MS = 50;
const REST_MS = 5000;
const COLLECTED_MS = 30_000;

const ways = {
  relayed: measureCpu,
  created: measureCpu,
  memory: measureMemory,
  rest: measureRest,
} satisfies Record<Way, (relay: Relay, workload: Workload) => Promise<Figures>>;

export async function measure(relay: Relay, endpoint: ExchangeEndpoint, workload: Workload): Promise<Run> {
  await endpoint.served();
  const { cost, busy, exchanged } = await ways[workload.way](relay, workload);
  const served = await endpoint.served();
  const unserved = Math.max(0, roundsOf(workload.shape) - exchanged.rounds);
  const faults = sumOf(exchanged, served, { ...noFaults, lost: unserved });
  return { cost, busy, rate: unitsOf(workload) / exchanged.seconds, faults };
}

const sumOf = (...all: readonly Faults[]): Faults =>
  Object.fromEntries(
    faultNames.map((name) => [name, all.reduce((sum, faults) => sum + faults[name], 0)]),
  ) as Faults;

/** Before flows are created or are idle: compiled code, tables and heaps that have their size. */
export async function warmUp({ port }: Relay, { shape, way }: Workload): Promise<void> {
  await (await begin(port, { ...shape, hold: 0, flows: WARM_UP_FLOWS[way] })).finished;
  await sleep(WARM_UP_MS);
}

/** JavaScript is compiled in steps, the last one after some thousands of flows. */
const WARM_UP_FLOWS = { relayed: 64, created: 9000, memory: 2000, rest: 2000 } satisfies Record<Way, number>;
const WARM_UP_MS = 500;

const begin = (port: number, shape: Shape): Promise<Exchange> =>
  startExchange(port, shape, { wrapper: cores.clients });

async function measureCpu({ port, pid }: Relay, workload: Workload): Promise<Figures> {
  const before = pid === null ? 0 : cpuNanoseconds(pid);
  const exchanged = await (await begin(port, workload.shape)).finished;
  await sleep(SETTLE_MS);
  if (pid === null) return { cost: null, busy: null, exchanged };
  const used = cpuNanoseconds(pid) - before;
  return { cost: used / unitsOf(workload), busy: used / 1e9 / exchanged.seconds, exchanged };
}

/** Flows that are open and idle, from `before` they were. */
async function holding<Figure>(
  { port }: Relay,
  { shape }: Workload,
  look: () => Figure | Promise<Figure>,
): Promise<{ figure: Figure; exchanged: Exchanged }> {
  const flows = await begin(port, shape);
  const exchanged = await flows.finished;
  await sleep(SETTLE_MS);
  const figure = await look();
  const later = await flows.leave();
  return { figure, exchanged: { ...exchanged, ...sumOf(exchanged, later) } };
}

async function measureMemory(relay: Relay, workload: Workload): Promise<Figures> {
  const bytes = () => (relay.pid === null ? null : privateBytes(relay.pid));
  const before = bytes();
  const { figure: after, exchanged } = await holding(relay, workload, bytes);
  const cost = before === null || after === null ? null : (after - before) / unitsOf(workload);
  return { cost, busy: null, exchanged };
}

/** Of the whole process, once V8 has collected what work has left behind: some seconds after it. */
async function measureRest(relay: Relay, workload: Workload): Promise<Figures> {
  const rest = async () => {
    await sleep(COLLECTED_MS);
    return percentOfCore(relay);
  };
  const { figure: cost, exchanged } = await holding(relay, workload, rest);
  return { cost, busy: null, exchanged };
}

async function percentOfCore({ pid }: Relay): Promise<number | null> {
  if (pid === null) return null;
  const [before, began] = [cpuNanoseconds(pid), performance.now()];
  await sleep(REST_MS);
  return (cpuNanoseconds(pid) - before) / 1e4 / (performance.now() - began);
}
