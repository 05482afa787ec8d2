/** Measures one case: without the daemon, through it as much as goes, at half of that, and under rising load. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Begun } from './begun.js';
import { at, type BenchDaemon, documentFor, startDaemon } from './daemon.js';
import { createFolder } from './folder.js';
import { latencyOf } from './latency.js';
import {
  type ClientArguments,
  type Counted,
  type Endpoint,
  type EndpointArguments,
  holdClients,
  LoadFailure,
  runClients,
  startEndpoint,
  threadsBeside,
} from './load.js';
import { watchMachine } from './machine.js';
import type { Memory, Result, Run } from './result.js';
import { type BenchRequest, type Case, ladder } from './sweep.js';
import type { Workload } from './workloads/workload.js';

/** What a person hears meanwhile: each run, when it begins. */
export type Told = (words: string) => void;

/** Of code that is not compiled yet, and of queues that fill. */
const WARM_UP_MS_MAX = 1000;
/** Garbage collection and last closes after a burst. */
const SETTLE_MS = 500;
/** Before memory is measured: sessions a few at a time, which fill no table. */
const WARM_UP = { rounds: 8, connections: 64 } as const;
const HALF = 0.5;

/** Throws a LoadFailure where an answer is wrong. */
export async function measureCase(measured: Case, request: BenchRequest, told: Told): Promise<Result> {
  const threads = threadsBeside(measured.workers);
  const { workload } = measured;
  const begun = new Begun();
  try {
    const openings = begun.keep(await writeOpenings(workload)).path;
    const endpoint = begun.keep(await startEndpoint({ threads, ...mannersOf(workload, openings) }));
    const document = documentFor(measured, workload.sections(at(endpoint.port)));
    const daemon = begun.keep(await startDaemon(document, workload.directory));
    const front = workload.front?.(at(portOf(daemon, workload)));
    const entry = front ? begun.keep(await startDaemon(documentFor(measured, front))) : daemon;
    return await measureOn({
      measured,
      request,
      told,
      threads,
      endpoint,
      daemon,
      port: portOf(entry, workload),
      openings,
    });
  } finally {
    await begun.stop();
  }
}

/** What the endpoint has to know of its clients. */
function mannersOf({ datagrams, opening }: Workload, openings: string): Omit<EndpointArguments, 'threads'> {
  if (datagrams) return { datagrams: 1 };
  if (openings !== '') return { openings };
  return opening ? { opening: opening.toString('hex') } : {};
}

/** The path is empty if there are none. */
async function writeOpenings({ openings }: Workload) {
  const all = await openings?.();
  if (all === undefined) return { path: '', stop() {} };
  const folder = createFolder();
  const path = join(folder.path, 'openings');
  writeFileSync(path, all.map((each) => `${each.toString('hex')}\n`).join(''));
  return { path, stop: folder.stop };
}

interface Bench {
  readonly measured: Case;
  readonly request: BenchRequest;
  readonly told: Told;
  readonly threads: number;
  readonly endpoint: Endpoint;
  readonly daemon: BenchDaemon;
  /** Where clients connect to. */
  readonly port: number;
  /** Path of a file; empty: there is none. */
  readonly openings: string;
}

async function measureOn(bench: Bench): Promise<Result> {
  const { workload, ...setup } = bench.measured;
  const { name, unit, measures } = workload;
  const result = { workload: name, unit, measures, ...setup };
  const none = { direct: null, full: null, rounds: [], half: null, ladder: [], memory: null };
  if (measures === 'memory') return { ...result, ...none, memory: await measureMemory(bench) };
  const direct = await run(bench, { direct: true });
  const rounds: Run[] = [];
  for (let round = 0; round < bench.request.rounds; round += 1) rounds.push(await run(bench, {}));
  const full = medianOf(rounds);
  if (measures === 'bytes') return { ...result, ...none, direct, full, rounds };
  const half = await run(bench, { rate: full.perSecond * HALF });
  const steps: Run[] = [];
  for (const share of bench.request.ladder ? ladder : []) {
    steps.push(await run(bench, { rate: full.perSecond * share }));
  }
  return { ...result, direct, full, rounds, half, ladder: steps, memory: null };
}

function medianOf(rounds: readonly Run[]): Run {
  const sorted = rounds.toSorted((one, other) => (one.cpuPerUnit ?? 0) - (other.cpuPerUnit ?? 0));
  return sorted[Math.floor((sorted.length - 1) / 2)] as Run;
}

interface Way {
  readonly direct?: true;
  readonly rate?: number;
}

async function run(bench: Bench, { direct, rate }: Way): Promise<Run> {
  const { measured, request, told, endpoint, daemon, port } = bench;
  const pids = [endpoint.pid, ...(direct ? [] : [daemon.pid])];
  const where = direct ? 'without the daemon' : 'through the daemon';
  told(rate === undefined ? where : `${where}, ${Math.round(rate)}/s`);
  const machine = watchMachine();
  const counted = await runClients({
    ...clientOf(bench, direct ? endpoint.port : port),
    ...(rate !== undefined && { rate }),
    warmup_ms: Math.min(WARM_UP_MS_MAX, Math.round(request.durationMs / 2)),
    window_ms: request.durationMs,
    cpu_of: pids.join(),
  });
  const busy = machine.busyCores();
  refuseSilence(counted, measured, rate === undefined);
  return figuresOf(counted, measured, request.durationMs, rate ?? null, busy);
}

function refuseSilence({ bytes, units, unfinished }: Counted, { workload }: Case, closed: boolean): void {
  if ((workload.measures === 'bytes' ? bytes : units) === 0) throw new LoadFailure('nothing was answered');
  if (closed && unfinished > 0) throw new LoadFailure(`${unfinished} of the clients were not answered`);
}

const portOf = ({ ports }: BenchDaemon, { listener }: Workload): number =>
  (listener === undefined ? [...ports.values()][0] : ports.get(listener)) ?? 0;

function clientOf({ measured, threads, openings }: Bench, port: number): ClientArguments {
  const { workload, connections, bytes } = measured;
  const { opening } = workload;
  return {
    ...{ port, connections, threads, bytes, ...workload.client(measured) },
    ...(opening && { opening: opening.toString('hex') }),
    ...(openings !== '' && { openings }),
  };
}

function figuresOf(
  { cpu, units, bytes, unfinished, lost, latency }: Counted,
  { workload }: Case,
  durationMs: number,
  offered: number | null,
  busyCores: number,
): Run {
  const [endpoint = 0, ...others] = cpu;
  const load = others.at(-1) ?? 0;
  const daemon = others.length > 1 ? (others[0] ?? 0) : null;
  const seconds = durationMs / 1000;
  const cores = (nanoseconds: number): number => nanoseconds / 1e9 / seconds;
  const ours = cores((daemon ?? 0) + endpoint + load);
  const many = workload.measures === 'bytes' ? bytes / 1e9 : units;
  return {
    offered,
    perSecond: units / seconds,
    bytesPerSecond: bytes / seconds,
    cpuPerUnit: daemon === null ? null : daemon / many,
    cores: {
      daemon: cores(daemon ?? 0),
      endpoint: cores(endpoint),
      load: cores(load),
      others: Math.max(0, busyCores - ours),
    },
    latency: latencyOf(latency),
    unfinished,
    lost,
  };
}

async function measureMemory(bench: Bench): Promise<Memory> {
  const { measured, told, daemon } = bench;
  const client = clientOf(bench, bench.port);
  told(`${measured.connections} sessions`);
  for (let round = 0; round < WARM_UP.rounds; round += 1) {
    const few = await holdClients({ ...client, connections: WARM_UP.connections });
    await few.release();
  }
  await sleep(SETTLE_MS);
  const [before, residentBefore] = [daemon.privateBytes(), daemon.residentBytes()];
  const held = await holdClients(client);
  await sleep(SETTLE_MS);
  const [after, residentWith] = [daemon.privateBytes(), daemon.residentBytes()];
  await held.release();
  return { perSession: (after - before) / measured.connections, residentBefore, residentWith };
}
