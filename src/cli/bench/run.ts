/** Runs `anyport bench`: the load, its progress, and what is written at the end. */
import { writeFileSync } from 'node:fs';
import { bench, type Report } from '../../bench/bench.js';
import { LoadFailure, stopLoads } from '../../bench/load.js';
import { pageHtml } from '../../bench/report/page.js';
import { reportText } from '../../bench/report/text.js';
import type { BenchRequest } from '../../bench/sweep.js';
import { BAD_USAGE, FAILED, Failure } from '../failure.js';
import { type BenchOptions, requestOf } from './options.js';
import { throughOwn } from './own.js';
import { runPlan } from './plan.js';
import { createProgress } from './progress.js';

/** A shell's status of a program that was interrupted: 128 and the number of the signal. */
const STATUS = { SIGINT: 130, SIGTERM: 143 } as const;

export async function runBench(options: BenchOptions): Promise<void> {
  const measure = async (request: BenchRequest) => measured(await throughOwn(request, options));
  if (options.plan !== undefined) return runPlan(options, measure);
  if (options.figures !== undefined) throw new Failure('--figures is for --plan', BAD_USAGE);
  write(await measure(requestOf(options)), options);
}

async function measured(request: BenchRequest): Promise<Report> {
  endOnSignals();
  const command = ['anyport', ...process.argv.slice(2)].join(' ');
  try {
    return await bench(request, command, createProgress(process.stderr));
  } catch (error) {
    if (error instanceof LoadFailure) throw new Failure(error.message, FAILED);
    throw error;
  }
}

/** The daemon ends when this process does. */
function endOnSignals(): void {
  for (const [signal, status] of Object.entries(STATUS)) {
    process.once(signal, () => {
      stopLoads();
      process.exit(status);
    });
  }
}

function write(report: Report, { json, html }: BenchOptions): void {
  const text = `${JSON.stringify(report, null, 2)}\n`;
  if (json === '-') process.stdout.write(text);
  else process.stdout.write(reportText(report));
  if (json !== undefined && json !== '-') writeFileSync(json, text);
  if (html !== undefined) writeFileSync(html, pageHtml(report));
}
