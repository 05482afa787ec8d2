/** `anyport bench --replay`: reads the recording and its options. */
import { readFileSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { bytesText, timeText } from '../../base/figures.js';
import { openedAs } from '../../bench/replay/openings.js';
import { CUSTOM, type Recording, readRecording, recordingLimits } from '../../bench/replay/recording.js';
import type { ReplayRequest } from '../../bench/replay/replay.js';
import { createWays, type Way, type Ways, wayOf } from '../../bench/replay/ways.js';
import { reasonOf } from '../../config/text.js';
import { BAD_USAGE, Failure } from '../failure.js';
import { acceptModes, type BenchOptions, durationOf, limits, numbers } from './options.js';
import { HOST, ownWay } from './own.js';

type OwnWay = Awaited<ReturnType<typeof ownWay>>;

const speeds = { least: 0.01, most: 1000 } as const;

/** Throws a Failure that says what is wrong, in the file with line and column. */
export async function replayRequestOf(options: BenchOptions): Promise<ReplayRequest> {
  const { replay: file = '' } = options;
  const speed = speedOf(options.speed);
  const recording = firstOf(read(file), durationOf(options.duration, Number.POSITIVE_INFINITY));
  if (recording.sessions.length === 0)
    throw new Failure(`--replay ${file}: no session begins in its first ${options.duration}`, BAD_USAGE);
  if (recording.span / speed > limits.durationMsMax) {
    throw new Failure(
      `--replay ${file}: it takes ${timeText(recording.span / speed)}: give a higher --speed, or --duration for its beginning, so that it takes ${timeText(limits.durationMsMax)} at most`,
      BAD_USAGE,
    );
  }
  const { ways, notes, config } = await waysOf(options);
  const workers =
    numbers('--workers', options.workers, limits.workersMax)?.[0] ?? config?.server.workers ?? 1;
  const accept = acceptModes(options.accept ?? config?.server.accept ?? 'reuseport')[0] ?? 'reuseport';
  return { recording, file: basename(file), speed, workers, accept, ways, notes };
}

/** Through a daemon made for the recording, or `--config`. */
async function waysOf(options: BenchOptions) {
  if (options.config === undefined) return { ways: createWays(), notes: [], config: null };
  const own = await ownWay(options.config, options);
  const notes = [`sessions for which it has no way by their own protocol: of ${own.words}`];
  return { ways: ownWays(own, options.host ?? HOST), notes, config: own.config };
}

/** By the opening of its protocol, if the configuration relays that; otherwise by the one that it does. */
function ownWays({ sections, listener, directory, reaches, way }: OwnWay, host: string): Ways {
  const only: Way = {
    ...{ door: listener, name: 'only', protocol: way.name, isSized: false },
    opening: async () => way.opening,
  };
  const known = new Map<string | null, Promise<Way>>();
  const find = async (protocol: string | null): Promise<Way> => {
    const opened = openedAs(protocol ?? CUSTOM);
    if (opened === CUSTOM) return only;
    const own = wayOf(listener, opened, opened, host);
    return (await reaches(await own.opening(0))) === null ? only : own;
  };
  return {
    of({ protocol }) {
      const found = known.get(protocol) ?? find(protocol);
      known.set(protocol, found);
      return found;
    },
    sections,
    directory,
  };
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
  const refuse = (why: string) => new Failure(`--replay ${file}: ${why}`, BAD_USAGE);
  try {
    const stat = statSync(file);
    if (!stat.isFile()) throw refuse('it is no ordinary file: give the one that --record has written');
    if (stat.size > recordingLimits.fileBytesMax)
      throw refuse(`it is larger than ${bytesText(recordingLimits.fileBytesMax)}: is it the right file?`);
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw error instanceof Failure ? error : refuse(reasonOf(error as NodeJS.ErrnoException));
  }
}

function firstOf({ sessions, span, left_out }: Recording, durationMs: number): Recording {
  return {
    left_out,
    span: Math.min(span, durationMs),
    sessions: sessions.filter(({ at }) => at <= durationMs),
  };
}
