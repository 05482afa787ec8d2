/** `anyport bench`: measures every case of a request, one after the other. */
import { readFileSync } from 'node:fs';
import { version } from '../base/version.js';
import { LoadFailure, stopLoads } from './load.js';
import { type Machine, thisMachine } from './machine.js';
import { measureCase } from './measure.js';
import { notesOf } from './notes.js';
import type { Replayed } from './replay/outcome.js';
import { caseText, type Result } from './result.js';
import { type BenchRequest, type Case, casesOf, runsOf } from './sweep.js';

/** Of the whole: what is printed, and the JSON of `--json`. */
export interface Report {
  readonly anyport: string;
  readonly node: string;
  readonly machine: Machine;
  readonly date: string;
  readonly command: string;
  readonly durationMs: number;
  readonly results: readonly Result[];
  readonly replay?: Replayed;
  /** What is to be known about the figures. */
  readonly notes: readonly string[];
}

export interface Progress {
  begin(runs: number): void;
  /** A run begins. */
  step(words: string): void;
  end(): void;
}

/** Throws a LoadFailure where an answer is wrong. */
export async function bench(request: BenchRequest, command: string, progress: Progress): Promise<Report> {
  const cases = casesOf(request, connectionsMax());
  progress.begin(cases.reduce((sum, each) => sum + runsOf(each, request), 0));
  const results: Result[] = [];
  try {
    for (const each of cases) results.push(await measureNamed(each, request, progress));
  } finally {
    stopLoads();
    progress.end();
  }
  const notes = [...(request.notes ?? []), ...notesOf(results)];
  return { ...heading(command), durationMs: request.durationMs, results, notes };
}

/** What is told of where, when and by what command figures came to be. */
export const heading = (command: string): Omit<Report, 'durationMs' | 'results' | 'notes'> => ({
  anyport: version,
  node: process.versions.node,
  machine: thisMachine(),
  date: new Date().toISOString(),
  command,
});

async function measureNamed(measured: Case, request: BenchRequest, progress: Progress): Promise<Result> {
  const name = caseText({ ...measured, workload: measured.workload.name });
  try {
    return await measureCase(measured, request, (words) => progress.step(`${name}: ${words}`));
  } catch (error) {
    if (error instanceof LoadFailure) throw new LoadFailure(`${name}: ${error.message}`);
    throw error;
  }
}

/** Each takes two files of the daemon, which keeps some for itself. */
const FILES_KEPT = 400;

export function connectionsMax(): number {
  const [, hard = ''] =
    /^Max open files\s+\S+\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
  const files = hard === 'unlimited' ? Number.POSITIVE_INFINITY : Number(hard);
  return Math.max(1, Math.floor((files - FILES_KEPT) / 2));
}
