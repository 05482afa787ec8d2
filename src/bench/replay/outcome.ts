/** What a replay has come to, beside what was recorded: plain data, which is also in the JSON of `--json`. Pure. */
import { type Latency, latencyOf } from '../latency.js';
import type { Acted } from '../load.js';
import type { Play, Script } from './script.js';

/** Of a replay, or what it should be. */
export interface Figures {
  readonly sessions: number;
  /** Until the last one has ended. */
  readonly perSecond: number;
  readonly up: number;
  readonly down: number;
  /** At once. */
  readonly most: number;
  /** From when a session was due to its end. Null: there was none that began meanwhile. */
  readonly durations: Latency | null;
}

export interface Replayed {
  readonly file: string;
  readonly speed: number;
  /** Sessions that the recording has not, by the reason. */
  readonly leftOut: Readonly<Record<string, number>>;
  /** The recording, at this speed. */
  readonly recorded: Figures;
  readonly replayed: Figures;
  /** Of exchanges, from when each was due. */
  readonly answers: Latency | null;
  /** How much later than due sessions began. */
  readonly late: Latency | null;
  /** Nanoseconds of the daemon for each session. */
  readonly cpuPerSession: number;
  readonly cores: { readonly daemon: number; readonly endpoint: number; readonly load: number };
  /** Resident bytes of the daemon before, and at most. */
  readonly memory: { readonly before: number; readonly most: number };
  readonly slices: readonly Slice[];
}

/** A part of the replay's time, all of one length. */
export interface Slice {
  /** Its end, in seconds from the beginning. */
  readonly at: number;
  /** Sessions that ended in it, a second. */
  readonly recorded: number;
  readonly replayed: number;
  /** Of what was due in it. */
  readonly answers: Latency | null;
}

export const SLICES = 40;

export function recordedFigures({ scripts, spanUs, up, down, added }: Play): Figures {
  const durations = scripts.filter(({ dueUs }) => dueUs >= 0).map(({ lastsUs }) => lastsUs * 1000);
  return {
    sessions: scripts.length,
    perSecond: scripts.length / (scripts.reduce(latestEnd, spanUs) / 1e6),
    up: up - added,
    down,
    most: mostAtOnce(scripts),
    durations: latencyOf(durations.toSorted((one, other) => one - other).map((each) => [each, 1])),
  };
}

const latestEnd = (latestUs: number, { dueUs, lastsUs }: Script): number =>
  Math.max(latestUs, dueUs + lastsUs);

function mostAtOnce(scripts: readonly Script[]): number {
  const ends = scripts.map(({ dueUs, lastsUs }) => dueUs + lastsUs).toSorted((one, other) => one - other);
  let [ended, most] = [0, 0];
  for (const [index, { dueUs }] of scripts.entries()) {
    while ((ends[ended] ?? dueUs) < dueUs) ended += 1;
    most = Math.max(most, index + 1 - ended);
  }
  return most;
}

export function replayedFigures({ spanUs }: Play, acted: Acted): Figures {
  const { sessions, up, down, most, durations, took } = acted;
  const seconds = Math.max(took / 1e9, spanUs / 1e6);
  return { sessions, perSecond: sessions / seconds, up, down, most, durations: latencyOf(durations) };
}

export function slicesOf({ scripts, spanUs }: Play, { slices }: Acted): Slice[] {
  const lengthUs = spanUs / slices.length;
  const counts = slices.map(() => 0);
  for (const { dueUs, lastsUs } of scripts) {
    const index = Math.min(counts.length - 1, Math.max(0, Math.floor((dueUs + lastsUs) / lengthUs)));
    counts[index] = (counts[index] ?? 0) + 1;
  }
  const perSecond = (count: number): number => count / (lengthUs / 1e6);
  return slices.map(({ ended, answers }, index) => ({
    at: ((index + 1) * lengthUs) / 1e6,
    recorded: perSecond(counts[index] ?? 0),
    replayed: perSecond(ended),
    answers: latencyOf(answers),
  }));
}
