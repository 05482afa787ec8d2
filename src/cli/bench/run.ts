/** Runs `anyport bench`: the load, its progress, and what is written at the end. */
import { bench, type Progress, type Report } from '../../bench/bench.js';
import { LoadFailure, stopLoads } from '../../bench/load.js';
import { replay } from '../../bench/replay/replay.js';
import { pageHtml } from '../../bench/report/page.js';
import { reportText } from '../../bench/report/text.js';
import type { BenchRequest } from '../../bench/sweep.js';
import { FAILED, Failure } from '../failure.js';
import { type BenchOptions, requestOf } from './options.js';
import { refuseUnwritable, writeOutput } from './outputs.js';
import { throughOwn } from './own.js';
import { runPlan } from './plan.js';
import { createProgress } from './progress.js';
import { runRecord } from './record.js';
import { replayRequestOf } from './replay.js';
import { refuseStray } from './stray.js';

/** A shell's status of a program that was interrupted: 128 and the number of the signal. */
const STATUS = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

export async function runBench(options: BenchOptions): Promise<void> {
  refuseStray(options);
  refuseUnwritable('--json', options.json);
  refuseUnwritable('--html', options.html);
  refuseUnwritable('--record', options.record);
  if (options.record !== undefined) return runRecord(options);
  if (options.replay !== undefined) {
    const request = await replayRequestOf(options);
    return write(await told((command, progress) => replay(request, command, progress)), options);
  }
  const measure = async (request: BenchRequest) => {
    const own = await throughOwn(request, options);
    return told((command, progress) => bench(own, command, progress));
  };
  if (options.plan !== undefined) return runPlan(options, measure);
  write(await measure(requestOf(options)), options);
}

async function told(run: (command: string, progress: Progress) => Promise<Report>): Promise<Report> {
  endOnSignals();
  const command = ['anyport', ...process.argv.slice(2)].join(' ');
  try {
    return await run(command, createProgress(process.stderr));
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
  writeOutput('--json', json, text);
  if (html !== undefined) writeOutput('--html', html, pageHtml(report));
}
