/** Which cases a request makes: every workload under every combination of what is varied. Pure. */
import type { Accept, Setup, Workload } from './workloads/workload.js';

export interface BenchRequest {
  readonly workloads: readonly Workload[];
  readonly workers: readonly number[];
  readonly accept: readonly Accept[];
  /** Null: what each workload has itself. */
  readonly connections: readonly number[] | null;
  readonly bytes: readonly number[] | null;
  /** Of each run, without what comes before it is counted. */
  readonly durationMs: number;
  /** Of the run through the daemon as much as goes; its median by CPU counts. */
  readonly rounds: number;
  /** Latency under rising load too. */
  readonly ladder: boolean;
  /** What is to be known about it. */
  readonly notes?: readonly string[];
}

export interface Case extends Setup {
  readonly workload: Workload;
}

export function casesOf(request: BenchRequest, connectionsMax: number): Case[] {
  return request.workloads.flatMap((workload) =>
    request.workers.flatMap((workers) =>
      request.accept.flatMap((accept) =>
        connectionsOf(workload, request, connectionsMax).flatMap((connections) =>
          sizesOf(workload, request).map((bytes) => ({ workload, workers, accept, connections, bytes })),
        ),
      ),
    ),
  );
}

/** Sizes that are asked for count where a workload has any. */
const sizesOf = ({ bytes }: Workload, asked: BenchRequest): readonly number[] =>
  bytes === null ? [0] : (asked.bytes ?? [bytes.usual]);

/** What a workload has itself is lowered to what the limit of open files allows; what is asked for is checked before. */
const connectionsOf = (workload: Workload, { connections }: BenchRequest, most: number): readonly number[] =>
  connections ?? [...new Set(workload.connections.map((each) => Math.min(each, most)))];

/** Shares of the most that is carried, at which latency is measured under rising load. */
export const ladder: readonly number[] = [0.1, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.1];

/** Runs that a case takes, for the progress. */
export function runsOf({ workload }: Case, request: BenchRequest): number {
  if (workload.measures === 'memory') return 1;
  if (workload.measures === 'bytes') return 1 + request.rounds;
  return 2 + request.rounds + (request.ladder ? ladder.length : 0);
}
