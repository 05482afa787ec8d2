/**
 * What sessions of a recording do when they are replayed (native/load/script.h), and how they open. Bytes are those of the
 * recording; how they were spread over a session is not known, so they go in exchanges of one size at equal distances. Pure,
 * but for what ways are.
 */
import type { RecordedSession, Recording } from './recording.js';
import type { Way, Ways } from './ways.js';

export interface Script {
  readonly dueUs: number;
  readonly lastsUs: number;
  readonly door: number;
  readonly opening: number;
  /** Behind opening and mark. */
  readonly up: number;
  readonly down: number;
  readonly exchanges: number;
  readonly serverCloses: boolean;
}

export interface Play {
  readonly scripts: readonly Script[];
  /** The first is empty. */
  readonly openings: readonly Buffer[];
  /** Names of listeners: the doors that scripts name. */
  readonly doors: readonly string[];
  /** Of all sessions, to be found at both ends. */
  readonly up: number;
  readonly down: number;
  /** Bytes up that were not recorded: of openings and marks longer than what was. */
  readonly added: number;
  /** From the first arrival to the last one or to the end of the recording. */
  readonly spanUs: number;
  /** Protocol → number of sessions that open as another one. */
  readonly others: ReadonlyMap<string, number>;
}

/** native/load/script.h: its magic and a number. */
const MARK_BYTES = 8;
/** Between exchanges, at least; and of those of a session, at most. */
const EXCHANGE_US = 20_000;
const EXCHANGES_MAX = 16;
/** Shorter sessions need not be held open by their clients. */
const HELD_US = 1_000;
/** Between sessions that are to be open by the beginning. */
const EARLY_GAP_US = 500;
/** Lengths of openings within so many parts of a power of two are one. */
const PARTS = 16;

export async function playOf({ sessions, span }: Recording, speed: number, ways: Ways): Promise<Play> {
  const openings = new Openings();
  const doors = new Indices();
  const others = new Map<string, number>();
  const early = sessions.findIndex(({ at }) => at >= 0);
  const earlyCount = early < 0 ? sessions.length : early;
  let [up, added, down] = [0, 0, 0];
  const scripts: Script[] = [];
  for (const [index, session] of sessions.entries()) {
    const part = within(session, span);
    const way = await ways.of(session);
    if (way.protocol !== session.protocol) {
      const name = session.protocol ?? 'none';
      others.set(name, (others.get(name) ?? 0) + 1);
    }
    const opening = await openings.of(way, Math.min(part.opening, part.up));
    const head = (openings.all[opening]?.length ?? 0) + MARK_BYTES;
    const behind = Math.max(0, part.up - head);
    up += head + behind;
    added += head + behind - part.up;
    down += part.down;
    const dueUs =
      index < earlyCount ? (index - earlyCount) * EARLY_GAP_US : Math.round((session.at * 1000) / speed);
    const lastsUs = Math.round((part.lasted * 1000) / speed);
    const door = doors.of(way.door);
    scripts.push({ dueUs, door, opening, ...pace(lastsUs, behind, part.down, session.by) });
  }
  const spanUs = Math.max(1, Math.round((span * 1000) / speed), scripts.at(-1)?.dueUs ?? 0);
  return { scripts, openings: openings.all, doors: doors.names, up, down, added, others, spanUs };
}

/** What of a session lies in the recording's time, if its bytes went evenly. */
function within({ at, opening, up, down, lasted }: RecordedSession, span: number) {
  const from = Math.max(0, at);
  const to = Math.min(at + lasted, Math.max(span, from));
  const share = to - from < lasted ? (to - from) / lasted : 1;
  const upThen = Math.max(opening, Math.round(up * share));
  return { opening, up: upThen, down: Math.round(down * share), lasted: to - from };
}

/**
 * The first exchange is at once, the last at the end. Each but the first begins with a byte from the client, so few bytes up
 * make few exchanges: a client that has had its only answer holds the session until its time is over.
 */
function pace(lastsUs: number, up: number, down: number, by: RecordedSession['by']) {
  const wanted = Math.min(EXCHANGES_MAX, 1 + Math.ceil(lastsUs / EXCHANGE_US));
  const exchanges = Math.min(wanted, 1 + up);
  const serverCloses = by === 'upstream' && (exchanges > 1 || lastsUs < HELD_US);
  return { lastsUs, up, down, exchanges, serverCloses };
}

/** A file of them: native/load/script.h. */
export const scriptsText = (scripts: readonly Script[]): string =>
  scripts
    .map((each) =>
      [
        ...[each.dueUs, each.lastsUs, each.door, each.opening, each.up, each.down, each.exchanges],
        Number(each.serverCloses),
      ].join(' '),
    )
    .map((line) => `${line}\n`)
    .join('');

class Indices {
  readonly names: string[] = [];
  of(name: string): number {
    const known = this.names.indexOf(name);
    return known < 0 ? this.names.push(name) - 1 : known;
  }
}

/** Each that is made, once. */
class Openings {
  readonly all: Buffer[] = [Buffer.alloc(0)];
  readonly #known = new Map<string, number>();

  /** Index of one with room for the mark within `bytes`. */
  async of({ protocol, name, isSized, opening }: Way, bytes: number): Promise<number> {
    if (protocol === null) return 0;
    const length = isSized ? roundedDown(Math.max(0, bytes - MARK_BYTES)) : 0;
    const key = `${name} ${length}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const index = this.all.push(await opening(length)) - 1;
    this.#known.set(key, index);
    return index;
  }
}

function roundedDown(bytes: number): number {
  const step = 2 ** Math.max(0, Math.floor(Math.log2(Math.max(1, bytes / PARTS))));
  return bytes - (bytes % step);
}
