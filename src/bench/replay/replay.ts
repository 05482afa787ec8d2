/** `anyport bench --replay`: a recording through the daemon, each session when it is due. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { counted, timeText } from '../../base/figures.js';
import { Begun } from '../begun.js';
import { connectionsMax, heading, type Progress, type Report } from '../bench.js';
import { at, documentFor, startDaemon } from '../daemon.js';
import { createFolder } from '../folder.js';
import { latencyOf } from '../latency.js';
import { type Acted, LoadFailure, runReplay, startEndpoint, stopLoads, threadsBeside } from '../load.js';
import type { Accept } from '../workloads/workload.js';
import {
  type Figures,
  type Replayed,
  recordedFigures,
  replayedFigures,
  SLICES,
  slicesOf,
} from './outcome.js';
import type { Recording } from './recording.js';
import { type Play, playOf, type Script, scriptsText } from './script.js';
import type { Ways } from './ways.js';

export interface ReplayRequest {
  readonly recording: Recording;
  /** Name of the recording, for the report. */
  readonly file: string;
  readonly speed: number;
  readonly workers: number;
  readonly accept: Accept;
  readonly ways: Ways;
  /** What is to be known about it. */
  readonly notes: readonly string[];
}

/** Sessions at once, in those of the recording: more than that wait, and count as late. */
const AT_ONCE = { times: 4, least: 1024 } as const;
/** Each a while after the one before. */
const WARM_UP = { sessions: 2_000, bytes: 64 * 1024 * 1024, gapUs: 250 } as const;
/** Of sessions that begin late, before it is told that load or machine were the limit. */
const LATE_US_MAX = 10_000;

/** Throws a LoadFailure where an answer is wrong. */
export async function replay(request: ReplayRequest, command: string, progress: Progress): Promise<Report> {
  const play = await playOf(request.recording, request.speed, request.ways);
  const recorded = recordedFigures(play);
  progress.begin(1);
  progress.step(
    `${counted(recorded.sessions, 'session')} through the daemon in ${timeText(play.spanUs / 1000)}`,
  );
  try {
    const replayed = await perform(request, play, recorded);
    const durationMs = play.spanUs / 1000;
    return {
      ...heading(command),
      durationMs,
      results: [],
      replay: replayed,
      notes: [...request.notes, ...notesOf(play, replayed)],
    };
  } finally {
    stopLoads();
    progress.end();
  }
}

async function perform(request: ReplayRequest, play: Play, recorded: Figures): Promise<Replayed> {
  const { workers, accept, ways } = request;
  const threads = threadsBeside(workers);
  const connections = atOnceMax(recorded);
  const begun = new Begun();
  try {
    const { warmUp, scripts, openings } = writeFiles(begun.keep(createFolder()).path, play);
    const endpoint = begun.keep(await startEndpoint({ threads, scripts, openings }));
    const document = documentFor({ workers, accept, connections }, ways.sections(at(endpoint.port)));
    const daemon = begun.keep(await startDaemon(document, ways.directory));
    const act = (scripts: string) =>
      runReplay({
        ...{ scripts, openings, connections, threads },
        ports: play.doors.map((door) => daemon.ports.get(door) ?? 0).join(),
        ...{ span_us: play.spanUs, slices: SLICES },
        cpu_of: `${endpoint.pid},${daemon.pid}`,
      });
    await act(warmUp);
    const before = daemon.residentBytes();
    daemon.mostResidentBytes();
    const acted = await act(scripts);
    refuseDifference(play, acted);
    return replayedOf(request, play, acted, { before, most: daemon.mostResidentBytes() });
  } finally {
    await begun.stop();
  }
}

/** For load and endpoint: their paths. */
function writeFiles(folder: string, { scripts, openings }: Play) {
  const files = ['scripts', 'warm-up', 'openings'].map((name) => join(folder, name));
  const [all = '', warmUp = '', opened = ''] = files;
  writeFileSync(all, scriptsText(scripts));
  writeFileSync(warmUp, scriptsText(warmUpOf(scripts)));
  writeFileSync(opened, openings.map((each) => `${each.toString('hex')}\n`).join(''));
  return { scripts: all, warmUp, openings: opened };
}

/** The first sessions without their pauses, so that code is compiled before what counts. */
function warmUpOf(scripts: readonly Script[]): Script[] {
  let bytes = 0;
  return scripts.slice(0, WARM_UP.sessions).flatMap((each, index) => {
    bytes += each.up + each.down;
    return bytes > WARM_UP.bytes ? [] : [{ ...each, dueUs: index * WARM_UP.gapUs, lastsUs: 0 }];
  });
}

function replayedOf(
  { file, speed, recording }: ReplayRequest,
  play: Play,
  acted: Acted,
  memory: Replayed['memory'],
): Replayed {
  const [endpoint = 0, daemon = 0, load = 0] = acted.cpu;
  const cores = (nanoseconds: number): number => nanoseconds / acted.took;
  return {
    ...{ file, speed, memory, leftOut: recording.left_out },
    recorded: recordedFigures(play),
    replayed: replayedFigures(play, acted),
    answers: latencyOf(acted.answers),
    late: latencyOf(acted.late),
    cpuPerSession: daemon / acted.sessions,
    cores: { daemon: cores(daemon), endpoint: cores(endpoint), load: cores(load) },
    slices: slicesOf(play, acted),
  };
}

const atOnceMax = ({ most }: Figures): number =>
  Math.min(connectionsMax(), Math.max(AT_ONCE.least, most * AT_ONCE.times));

/** Both ends have compared every byte; this is that none and no session is missing. */
function refuseDifference({ scripts, up, down }: Play, acted: Acted): void {
  if (acted.sessions === scripts.length && acted.up === up && acted.down === down) return;
  throw new LoadFailure(
    `of ${scripts.length} sessions, ${up} bytes up and ${down} down there were ${acted.sessions}, ${acted.up} and ${acted.down}`,
  );
}

function notesOf({ others, added }: Play, { late, replayed, recorded, leftOut }: Replayed): string[] {
  const left = Object.entries(leftOut).map(([why, count]) => `${why} ${count}`);
  const opened = [...others].map(([protocol, count]) => `${protocol} ${count}`);
  return [
    ...(left.length === 0 ? [] : [`sessions that are not in the recording: ${left.join(', ')}`]),
    ...(opened.length === 0 ? [] : [`sessions of these protocols open as another one: ${opened.join(', ')}`]),
    ...(added === 0
      ? []
      : [`${added} bytes up are not of the recording: some openings are longer than what was recorded`]),
    ...(late !== null && late.p99 > LATE_US_MAX
      ? [
          `sessions began late (p99 ${Math.round(late.p99 / 1000)} ms): the load or the machine was the limit, not the daemon alone`,
        ]
      : []),
    ...(replayed.most >= atOnceMax(recorded)
      ? [
          `${replayed.most} sessions at once are the most: others began when these had ended, and count as late`,
        ]
      : []),
  ];
}
