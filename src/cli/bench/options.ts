/** The options of `anyport bench`, checked. */
import { parseDuration } from '../../base/duration.js';
import { parseSize } from '../../base/size.js';
import { connectionsMax } from '../../bench/bench.js';
import type { BenchRequest } from '../../bench/sweep.js';
import { workloads, workloadsOf } from '../../bench/workloads/index.js';
import type { Accept, Workload } from '../../bench/workloads/workload.js';
import { BAD_USAGE, Failure } from '../failure.js';
import type { OwnOptions } from './own.js';

/** As typed. */
export interface BenchOptions extends OwnOptions {
  readonly workload?: string;
  readonly connections?: string;
  readonly size?: string;
  readonly duration?: string;
  readonly rounds?: string;
  readonly ladder?: true;
  readonly json?: string;
  readonly html?: string;
  readonly plan?: string;
  readonly figures?: string;
  readonly record?: string;
  readonly log?: string;
  readonly replay?: string;
  readonly speed?: string;
}

const DURATION_MS = 5_000;
export const limits = {
  workersMax: 256,
  roundsMax: 1000,
  durationMsMin: 100,
  durationMsMax: 3_600_000,
} as const;

/** Throws a Failure that says what is wrong with which option. */
export function requestOf(options: BenchOptions): BenchRequest {
  const chosen = options.workload === undefined ? workloads : chosenWorkloads(options.workload);
  const most = connectionsMax();
  return {
    workloads: chosen,
    workers: numbers('--workers', options.workers, limits.workersMax) ?? [1],
    accept: acceptModes(options.accept ?? 'reuseport'),
    connections: numbers('--connections', options.connections, most, 'what the limit of open files allows'),
    bytes: sizes(options.size, chosen),
    durationMs: durationOf(options.duration, DURATION_MS),
    rounds: numbers('--rounds', options.rounds, limits.roundsMax)?.[0] ?? 1,
    ladder: options.ladder === true || options.html !== undefined,
  };
}

const listOf = (text: string): string[] => text.split(',').map((each) => each.trim());

function chosenWorkloads(text: string): readonly Workload[] {
  const found = listOf(text).flatMap((name) => {
    const those = workloadsOf(name);
    if (those.length > 0) return those;
    const known = workloads.map((each) => `  ${each.name}: ${each.words}`).join('\n');
    throw new Failure(`--workload ${name}: there is\n${known}`, BAD_USAGE);
  });
  return [...new Set(found)];
}

export function numbers(
  option: string,
  text: string | undefined,
  most: number,
  why?: string,
): number[] | null {
  if (text === undefined) return null;
  return listOf(text).map((each) => {
    const number = Number(each);
    if (/^\d+$/.test(each) && number >= 1 && number <= most) return number;
    throw new Failure(`${option} ${each}: give 1 to ${most}${why ? `, ${why}` : ''}`, BAD_USAGE);
  });
}

export function acceptModes(text: string): Accept[] {
  return listOf(text).map((each) => {
    if (each === 'reuseport' || each === 'handoff') return each;
    throw new Failure(
      `--accept ${each}: give reuseport, handoff, or both with a comma between them`,
      BAD_USAGE,
    );
  });
}

function sizes(text: string | undefined, chosen: readonly Workload[]): number[] | null {
  if (text === undefined) return null;
  const most = Math.min(...chosen.flatMap(({ bytes }) => bytes?.most ?? []));
  if (most === Number.POSITIVE_INFINITY)
    throw new Failure('--size: these workloads have sizes of their own', BAD_USAGE);
  return listOf(text).map((each) => {
    const bytes = parseSize(each);
    if (bytes !== null && bytes >= 1 && bytes <= most) return bytes;
    throw new Failure(
      `--size ${each}: give 1 to ${most} bytes for these workloads, such as 64 or 16KiB`,
      BAD_USAGE,
    );
  });
}

export function durationOf(text: string | undefined, usual: number): number {
  if (text === undefined) return usual;
  const ms = parseDuration(text);
  if (ms !== null && ms >= limits.durationMsMin && ms <= limits.durationMsMax) return ms;
  throw new Failure(`--duration ${text}: give 100ms to 1h, such as 5s`, BAD_USAGE);
}
