/**
 * What sessions of a recording do when they are replayed (native/load/script.h), how they open, and the configuration of the
 * daemon between. Bytes are those of the recording; how they were spread over a session is not known, so they go in exchanges
 * of one size at equal distances. Pure, but for the openings of TLS.
 */
import type { Document } from '../../model/config.js';
import { CUSTOM_START, namesHost, openedAs, openingOf } from './openings.js';
import { CUSTOM, type RecordedSession, type Recording } from './recording.js';

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
  sections(endpoint: string): Document;
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

export const PLAIN = 'plain';
const doorName = (listener: number): string => `listener-${listener}`;
const upstreamName = (upstream: number): string => `upstream-${upstream}`;
const hostOf = (upstream: number): string => `u${upstream}.test`;

export async function playOf({ sessions, span }: Recording, speed: number): Promise<Play> {
  const openings = new Openings();
  const doors = new Indices();
  const others = new Map<string, number>();
  const ways = new Map<string, Way>();
  const early = sessions.findIndex(({ at }) => at >= 0);
  const earlyCount = early < 0 ? sessions.length : early;
  let [up, added, down] = [0, 0, 0];
  const scripts: Script[] = [];
  for (const [index, session] of sessions.entries()) {
    const part = remainder(session);
    const way = wayOf(session);
    if (way !== null) ways.set(`${way.protocol} ${way.upstream}`, way);
    if (way !== null && way.protocol !== session.protocol) {
      const name = session.protocol as string;
      others.set(name, (others.get(name) ?? 0) + 1);
    }
    const opening = way === null ? 0 : await openings.of(way, Math.min(part.opening, part.up));
    const head = openings.all[opening] as Buffer;
    const behind = Math.max(0, part.up - head.length - MARK_BYTES);
    const sent = head.length + MARK_BYTES + behind;
    up += sent;
    added += sent - part.up;
    down += part.down;
    const dueUs =
      index < earlyCount ? (index - earlyCount) * EARLY_GAP_US : Math.round((session.at * 1000) / speed);
    const door = doors.of(way === null ? PLAIN : doorName(session.listener));
    const lastsUs = Math.round((part.lasted * 1000) / speed);
    scripts.push({ dueUs, door, opening, ...pace(lastsUs, behind, part.down, session.by) });
  }
  return {
    scripts,
    openings: openings.all,
    doors: doors.names,
    sections: (endpoint) => sectionsFor(endpoint, doors.names, [...ways.values()]),
    ...{ up, down, added, others },
    spanUs: Math.max(1, Math.round((span * 1000) / speed), scripts.at(-1)?.dueUs ?? 0),
  };
}

/** Of a session that was open when the recording began, what lay behind that, if its bytes went evenly. */
function remainder({ at, opening, up, down, lasted }: RecordedSession) {
  if (at >= 0) return { opening, up, down, lasted };
  const share = lasted === 0 ? 0 : (at + lasted) / lasted;
  const upThen = Math.max(opening, Math.round(up * share));
  return { opening, up: upThen, down: Math.round(down * share), lasted: at + lasted };
}

/** How it is told which upstream it is for; null: nothing is, it is passed on by a forward. */
interface Way {
  readonly protocol: string;
  readonly upstream: number;
}

function wayOf({ protocol, upstream }: RecordedSession): Way | null {
  if (protocol === null) return null;
  const opened = openedAs(protocol);
  return { protocol: opened, upstream: namesHost(opened) ? upstream : 0 };
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
  async of({ protocol, upstream }: Way, bytes: number): Promise<number> {
    const length = roundedDown(Math.max(0, bytes - MARK_BYTES));
    const key = `${protocol} ${upstream} ${namesHost(protocol) ? length : 0}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const index = this.all.push(await openingOf(protocol, hostOf(upstream), length)) - 1;
    this.#known.set(key, index);
    return index;
  }
}

function roundedDown(bytes: number): number {
  const step = 2 ** Math.max(0, Math.floor(Math.log2(Math.max(1, bytes / PARTS))));
  return bytes - (bytes % step);
}

function sectionsFor(endpoint: string, doors: readonly string[], ways: readonly Way[]): Document {
  const address = '127.0.0.1:0';
  const used = [...new Set(ways.map(({ protocol }) => protocol))];
  const named = ways.filter(({ protocol }) => namesHost(protocol));
  const upstreams = [...new Set(named.map(({ upstream }) => upstream))];
  return {
    listeners: doors.filter((name) => name !== PLAIN).map((name) => ({ name, address })),
    ...(doors.includes(PLAIN) && { forwards: [{ name: PLAIN, listen: address, target: endpoint }] }),
    protocols: used.map((name) => ({
      ...(name === CUSTOM ? { name: 'Custom', start_bytes: [CUSTOM_START] } : { name }),
      target: endpoint,
    })),
    upstreams: Object.fromEntries(upstreams.map((each) => [upstreamName(each), { endpoints: [endpoint] }])),
    routes: named.map(({ protocol, upstream }) => ({
      when: { protocol, [protocol === 'tls' ? 'sni' : 'host']: hostOf(upstream) },
      to: upstreamName(upstream),
    })),
  };
}
