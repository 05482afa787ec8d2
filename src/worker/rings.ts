/**
 * This side of the two rings that an engine shares with its worker: events are read where they lie, answers
 * are written where the engine looks. Offsets are those of native/engine/rings.h.
 */
import type { Native } from '../addon.js';
import {
  type Closing,
  closings,
  type Ender,
  enders,
  type Reason,
  reasons,
  type Stage,
  stages,
} from '../model/session.js';

/** Why a session is shown: its protocol is known, or it never will be. */
export const causes = [
  'matched',
  'unknown',
  'finished',
  'full',
  'timeout',
  'silence',
  'more_bytes',
  'quiet',
] as const;
export type Cause = (typeof causes)[number];

export const eventKinds = ['classified', 'connected', 'unreachable', 'ended', 'proxied', 'refused'] as const;
export type EventKind = (typeof eventKinds)[number];

export const answerKinds = ['dial', 'wait', 'end', 'reject', 'proceed'] as const;

/** A session, as the engine knows it: a stale one is nobody's. */
export interface SessionId {
  readonly slot: number;
  readonly generation: number;
}

/** Word offsets of an event (native/engine/rings.h, EventWord). */
const word = {
  kind: 0,
  slot: 1,
  generation: 2,
  listener: 3,
  plan: 4,
  protocol: 5,
  cause: 6,
  bytesOffset: 7,
  bytesLength: 8,
  decidedAt: 9,
  error: 10,
  by: 11,
  during: 12,
  reason: 13,
  sourcePort: 14,
  sourceFamily: 15,
  source: 16,
  openingLength: 30,
  opening: 31,
} as const;

/** Offsets of an event's 64-bit floats, counted in floats from its start (EventNumber). */
const number = { bytesUp: 10, bytesDown: 11, durationMs: 12, identifyMs: 13, connectMs: 14 } as const;

/** A cursor over the event ring: one object for all events, moved from one to the next. */
export class EventCursor {
  readonly memory: ArrayBuffer;
  readonly #words: Int32Array;
  readonly #numbers: Float64Array;
  readonly #bytes: Uint8Array;
  readonly #eventWords: number;
  #at = 0;

  constructor({ eventWords, eventsMax }: Native['layout']) {
    this.memory = new ArrayBuffer(eventWords * eventsMax * 4);
    this.#words = new Int32Array(this.memory);
    this.#numbers = new Float64Array(this.memory);
    this.#bytes = new Uint8Array(this.memory);
    this.#eventWords = eventWords;
  }

  moveTo(event: number): void {
    this.#at = event * this.#eventWords;
  }

  get kind(): EventKind {
    return eventKinds[this.#word(word.kind)] as EventKind;
  }
  get slot(): number {
    return this.#word(word.slot);
  }
  get generation(): number {
    return this.#word(word.generation);
  }
  get listener(): number {
    return this.#word(word.listener);
  }
  /** Generation of the Plan the session began with. */
  get plan(): number {
    return this.#word(word.plan);
  }
  /** Position in the listener's classifier; -1: not recognised. */
  get protocol(): number {
    return this.#word(word.protocol);
  }
  get cause(): Cause {
    return causes[this.#word(word.cause)] as Cause;
  }
  /** Where the sniffed bytes (proxied: those of the PROXY header) begin in the arena. */
  get bytesOffset(): number {
    return this.#word(word.bytesOffset);
  }
  get bytesLength(): number {
    return this.#word(word.bytesLength);
  }
  get decidedAt(): number {
    return this.#word(word.decidedAt);
  }
  /** errno of a failed connection, or of a refused one: 0 at `max_connections`. */
  get error(): number {
    return this.#word(word.error);
  }
  get by(): Ender {
    return enders[this.#word(word.by)] as Ender;
  }
  get during(): Stage {
    return stages[this.#word(word.during)] as Stage;
  }
  get reason(): Reason {
    return reasons[this.#word(word.reason)] as Reason;
  }
  get sourcePort(): number {
    return this.#word(word.sourcePort);
  }
  get bytesUp(): number {
    return this.#number(number.bytesUp);
  }
  get bytesDown(): number {
    return this.#number(number.bytesDown);
  }
  get durationMs(): number {
    return this.#number(number.durationMs);
  }
  get identifyMs(): number {
    return this.#number(number.identifyMs);
  }
  get connectMs(): number {
    return this.#number(number.connectMs);
  }

  /** Connections that were refused before this one and are not shown. */
  get refusedUnshown(): number {
    return this.bytesLength;
  }

  /** The first bytes of a session that ended before any went anywhere, in hexadecimal; empty: there were none. */
  opening(): string {
    const start = (this.#at + word.opening) * 4;
    const bytes = this.#bytes.subarray(start, start + this.#word(word.openingLength));
    return hexOf(bytes, bytes.length);
  }

  /** The client's address, a literal without port; empty for a Unix socket. */
  sourceAddress(): string {
    const start = (this.#at + word.source) * 4;
    const family = this.#word(word.sourceFamily);
    const bytes = this.#bytes;
    if (family === 4) return `${bytes[start]}.${bytes[start + 1]}.${bytes[start + 2]}.${bytes[start + 3]}`;
    if (family === 6) return ipv6Text(bytes.subarray(start, start + 16));
    return '';
  }

  #word(offset: number): number {
    return this.#words[this.#at + offset] as number;
  }
  #number(offset: number): number {
    return this.#numbers[this.#at / 2 + offset] as number;
  }
}

/** The first bytes, at most `bytesMax` of them, in hexadecimal. */
export const hexOf = (bytes: Uint8Array, bytesMax: number): string =>
  Buffer.from(bytes.subarray(0, bytesMax)).toString('hex');

/** RFC 5952: lower case, the first of the longest runs of zero groups as `::`. */
function ipv6Text(bytes: Uint8Array): string {
  const groups = Array.from(
    { length: 8 },
    (_, i) => ((bytes[2 * i] as number) << 8) | (bytes[2 * i + 1] as number),
  );
  let start = 0;
  let length = 0;
  for (let from = 0, at = 0; at < groups.length; at += 1) {
    if (groups[at] !== 0) from = at + 1;
    else if (at + 1 - from > length) [start, length] = [from, at + 1 - from];
  }
  const text = (part: readonly number[]) => part.map((group) => group.toString(16)).join(':');
  if (length < 2) return text(groups);
  return `${text(groups.slice(0, start))}::${text(groups.slice(start + length))}`;
}

/** Writes answers; a full ring is handed over at once. */
export class Answers {
  readonly memory: ArrayBuffer;
  readonly #words: Uint32Array;
  readonly #answerWords: number;
  readonly #answersMax: number;
  readonly #flush: () => void;

  constructor({ answerWords, answersMax }: Native['layout'], flush: () => void) {
    this.memory = new ArrayBuffer((1 + answerWords * answersMax) * 4);
    this.#words = new Uint32Array(this.memory);
    this.#answerWords = answerWords;
    this.#answersMax = answersMax;
    this.#flush = flush;
  }

  /**
   * Connect the session to an address of its Plan; its bytes are counted in that cell and the next. `patient`: where the
   * endpoint's queue is full, ask again until `dial_timeout` is over.
   */
  dial(id: SessionId, address: number, bytesCell: number, patient: boolean): void {
    this.#write(0, id, address, bytesCell, Number(patient), 0);
  }

  /**
   * Read on until so many bytes are there in all; `identified`: only facts are missing, the protocol is certain. After
   * `quietMs` without one of them the session is shown as it is; 0: never.
   */
  wait(id: SessionId, bytesInAll: number, identified: boolean, quietMs = 0): void {
    this.#write(1, id, bytesInAll, Number(identified), quietMs, 0);
  }

  end(id: SessionId, by: Ender, during: Stage, reason: Reason, closing: Closing): void {
    this.#write(
      2,
      id,
      enders.indexOf(by),
      stages.indexOf(during),
      reasons.indexOf(reason),
      closings.indexOf(closing),
    );
  }

  /** The protocol that matched is not it: show the session again when another one matches, or none can any more. */
  reject(id: SessionId): void {
    this.#write(3, id, 0, 0, 0, 0);
  }

  /** The PROXY header is well-formed: sniff what is behind it. */
  proceed(id: SessionId): void {
    this.#write(4, id, 0, 0, 0, 0);
  }

  #write(kind: number, id: SessionId, a: number, b: number, c: number, d: number): void {
    const words = this.#words;
    if (words[0] === this.#answersMax) this.#flush();
    const count = words[0] as number;
    const at = 1 + count * this.#answerWords;
    words[at] = kind;
    words[at + 1] = id.slot;
    words[at + 2] = id.generation;
    words[at + 3] = a;
    words[at + 4] = b;
    words[at + 5] = c;
    words[at + 6] = d;
    words[0] = count + 1;
  }
}
