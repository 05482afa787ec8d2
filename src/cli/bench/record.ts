/** `anyport bench --record`: a recording of the sessions that an access log tells of. */
import { statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { counted, timeText } from '../../base/figures.js';
import { replaceFile } from '../../base/replace-file.js';
import { createRecorder, type Recorder } from '../../bench/replay/recorder.js';
import { type Recording, recordingLimits, recordingText } from '../../bench/replay/recording.js';
import { BAD_USAGE, FAILED, Failure } from '../failure.js';
import { chunksOf } from '../input.js';
import { linesOf } from '../lines.js';
import { type BenchOptions, durationOf } from './options.js';

/** Facts of a session have a bound, so its line has one. */
const LINE_BYTES_MAX = 256 * 1024;
/** Of what says how much there is: it is the user's alone. */
const MODE = 0o600;

export async function runRecord({ record = '', log, duration }: BenchOptions): Promise<void> {
  if (log === undefined)
    throw new Failure('--record needs --log: the access log to record from, - for standard input', BAD_USAGE);
  if (isSameFile(record, log))
    throw new Failure(`--record ${record}: that is the log: name another file`, BAD_USAGE);
  const spanMs = durationOf(duration, Number.POSITIVE_INFINITY);
  const recorder = createRecorder(spanMs);
  await readAll(log, recorder, spanMs);
  const recording = recorder.recording();
  if (recording === null) {
    throw new Failure(
      `--log ${log}: it tells of no session that was relayed; is it JSON (logging.format), with logging.access_log on?`,
      FAILED,
    );
  }
  const problem = await replaceFile(record, recordingText(recording), { mode: MODE, isSynced: false });
  if (problem !== null) throw new Failure(`--record ${record}: ${problem}`, FAILED);
  process.stdout.write(summaryOf(record, recording));
}

/** A log that is replaced by its recording is lost. */
function isSameFile(one: string, other: string): boolean {
  const [first, second] = [one, other].map((file) => statSync(file, { throwIfNoEntry: false }));
  return first !== undefined && first.dev === second?.dev && first.ino === second.ino;
}

/** Until the log ends, enough was recorded, or the user has enough of it. */
async function readAll(log: string, recorder: Recorder, spanMs: number): Promise<void> {
  const ended = new AbortController();
  const read = async () => {
    for await (const line of linesOf(chunksOf(log, ended.signal), LINE_BYTES_MAX))
      if ('text' in line && !recorder.take(line.text)) return;
  };
  const isFollowed = log === '-' && spanMs < Number.POSITIVE_INFINITY;
  await Promise.race([interrupted(), read(), ...(isFollowed ? [over(spanMs)] : [])]);
  ended.abort();
}

const interrupted = (): Promise<void> =>
  new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve());
  });

/** Of a log that is followed: it may have no line that tells. */
const over = (ms: number): Promise<void> => sleep(ms, undefined, { ref: false });

function summaryOf(file: string, { sessions, span, left_out }: Recording): string {
  const left = Object.entries(left_out).map(([why, count]) => `${why} ${count}`);
  const full = sessions.length === recordingLimits.sessionsMax ? '; there is no room for more' : '';
  return `${file}: ${counted(sessions.length, 'session')} of ${timeText(span)}${full}\n${
    left.length === 0 ? '' : `not in it: ${left.join(', ')}\n`
  }`;
}
