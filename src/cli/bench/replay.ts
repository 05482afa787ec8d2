/** `anyport bench --replay`: reads the recording and its options. */
import { readFileSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { timeText } from '../../base/figures.js';
import { type Recording, readRecording, recordingLimits } from '../../bench/replay/recording.js';
import type { ReplayRequest } from '../../bench/replay/replay.js';
import { BAD_USAGE, Failure } from '../failure.js';
import { acceptModes, type BenchOptions, durationOf, limits, numbers } from './options.js';

const speeds = { least: 0.01, most: 1000 } as const;
/** What the load itself says has no place beside a recording. */
const NOT_WITH = [
  'workload',
  'connections',
  'size',
  'rounds',
  'ladder',
  'config',
  'opening',
  'host',
] as const;

/** Throws a Failure that says what is wrong, in the file with line and column. */
export function replayRequestOf(options: BenchOptions): ReplayRequest {
  const { replay: file = '' } = options;
  const other = NOT_WITH.find((each) => options[each] !== undefined);
  if (other !== undefined)
    throw new Failure(`--${other} is not for --replay: the load is that of the recording`, BAD_USAGE);
  const speed = speedOf(options.speed);
  const recording = firstOf(read(file), durationOf(options.duration, Number.POSITIVE_INFINITY));
  if (recording.span / speed > limits.durationMsMax) {
    throw new Failure(
      `--replay ${file}: it takes ${timeText(recording.span / speed)}: give a higher --speed, or --duration for its beginning, so that it takes ${timeText(limits.durationMsMax)} at most`,
      BAD_USAGE,
    );
  }
  const [workers = 1] = numbers('--workers', options.workers, limits.workersMax) ?? [];
  const [accept = 'reuseport'] = acceptModes(options.accept ?? 'reuseport');
  return { recording, file: basename(file), speed, workers, accept };
}

function speedOf(text = '1'): number {
  const speed = Number(text);
  if (/^\d*\.?\d+$/.test(text) && speed >= speeds.least && speed <= speeds.most) return speed;
  throw new Failure(`--speed ${text}: give ${speeds.least} to ${speeds.most}`, BAD_USAGE);
}

function read(file: string): Recording {
  const found = readRecording(textOf(file));
  if (found.ok) return found.recording;
  throw new Failure(found.problems.map((each) => `${file}:${each}`).join('\n'), BAD_USAGE);
}

function textOf(file: string): string {
  try {
    const stat = statSync(file);
    if (stat.isFile() && stat.size <= recordingLimits.fileBytesMax) return readFileSync(file, 'utf8');
  } catch (error) {
    throw new Failure(`--replay ${file}: ${(error as Error).message}`, BAD_USAGE);
  }
  throw new Failure(
    `--replay ${file}: give a file of at most ${recordingLimits.fileBytesMax} bytes`,
    BAD_USAGE,
  );
}

function firstOf({ sessions, span, left_out }: Recording, durationMs: number): Recording {
  return {
    left_out,
    span: Math.min(span, durationMs),
    sessions: sessions.filter(({ at }) => at <= durationMs),
  };
}
