/**
 * TypeScript side of the two rings that an engine shares with its worker: events are read in place, answers are written
 * in place. Offsets are those of native/desk/rings.h; a test compares them.
 */
import assert from 'node:assert/strict';
import type { Native } from '../addon.js';
import { addressBytes } from '../base/network.js';
import type { InetAddress } from '../model/address.js';
import {
  type Check,
  type Closing,
  checks,
  closings,
  type Ender,
  enders,
  type Reason,
  reasons,
  type Stage,
  stages,
} from '../model/session.js';

/** Causes of a `classified` event. */
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

/** No more bytes will arrive or be waited for. */
export const isLast = (cause: Cause): boolean =>
  cause === 'finished' || cause === 'full' || cause === 'timeout';

export const eventKinds = [
  'classified',
  'connected',
  'unreachable',
  'ended',
  'proxied',
  'refused',
  'arrived',
  'full',
  'answered',
  'moved',
  'followed',
] as const;
export type EventKind = (typeof eventKinds)[number];

export const answerKinds = [
  'dial',
  'wait',
  'end',
  'reject',
  'proceed',
  'go_on',
  'reply',
  'queue',
  'hold',
  'refuse',
  'give_up',
] as const;
type AnswerKind = (typeof answerKinds)[number];

/** The engine's id of a session; stale ids are ignored. */
export interface SessionId {
  readonly slot: number;
  readonly generation: number;
}

/** Word offsets of an event (native/desk/rings.h, EventWord). */
export const eventWords = {
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
  datagram: 39,
  // unreachable, moved, followed, of a flow
  row: 7,
  upstream: 8,
  endpoint: 9,
} as const;

/** Offsets of an event's 64-bit floats, in floats from its start (EventNumber). */
export const eventNumbers = {
  bytesUp: 10,
  bytesDown: 11,
  durationMs: 12,
  identifyMs: 13,
  connectMs: 14,
} as const;

/** Word offsets of an answer (AnswerWord). The engine ignores words that the answer's kind does not use. */
export const answerWords = {
  kind: 0,
  slot: 1,
  generation: 2,
  /** Counter row of the session's listener and protocol; 0: not identified. */
  row: 3,
  // dial
  first: 4,
  patient: 5,
  endpoint: 6,
  endpointRow: 7,
  upstream: 8,
  count: 9,
  // wait, reply
  bytesWanted: 4,
  quietMs: 5,
  // hold
  holdMs: 4,
  // end, refuse
  by: 4,
  during: 5,
  reason: 6,
  // end
  closing: 7,
  // queue
  choosy: 4,
  // dial, go_on: bytes for the endpoint before the session's, and the length of its answer; reply, refuse: for the client
  sendOffset: 10,
  sendLength: 11,
  expected: 12,
  // go_on: of the endpoint's answer; dial, reply: of the sniffed bytes
  taken: 13,
  // dial: what follows the bytes for the endpoint
  greetingLength: 14,
  addressCount: 15,
} as const;

/** An endpoint's addresses: consecutive dials of the engine's tables. */
export interface DialRange {
  readonly first: number;
  readonly count: number;
}

/** What an endpoint is told before the session's bytes. */
export interface Words {
  readonly bytes: Uint8Array;
  /** Length of its answer, which is shown as an `answered` event; 0: none is awaited. */
  readonly expected: number;
}

/** Target of a `dial` answer: an endpoint, whose addresses the engine tries in their order (RFC 8305). */
export type Dial = DialTarget & (DialRange | OwnAddresses);

/** Addresses that are the session's own, at most `layout.ownAddressesMax`; dialled with the options of the upstream. */
export interface OwnAddresses {
  readonly addresses: readonly InetAddress[];
}

export interface DialTarget {
  /** If the endpoint's backlog is full, retry until `dial_timeout`. */
  readonly patient: boolean;
  /** Endpoint id and counter row. */
  readonly endpoint: number;
  readonly endpointRow: number;
  /** Index in the Plan. */
  readonly upstream: number;
  /** Null: nothing. */
  readonly preamble: Words | null;
  /** Sniffed bytes, from the first one on, that are not the endpoint's: a request that has been read. Default 0. */
  readonly taken?: number;
  /**
   * For the client, once the endpoint has connected and agreed: before any byte of the endpoint. It does not count as the
   * session's. A client that does not take it is gone.
   */
  readonly greeting?: Uint8Array;
}

/**
 * A cursor over the event ring: one reused object instead of one object per event. Over 20 methods: one getter for each
 * word of an event.
 */
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
    return eventKinds[this.#word(eventWords.kind)] as EventKind;
  }
  get slot(): number {
    return this.#word(eventWords.slot);
  }
  get generation(): number {
    return this.#word(eventWords.generation);
  }
  get listener(): number {
    return this.#word(eventWords.listener);
  }
  /** Generation of the session's Plan. */
  get plan(): number {
    return this.#word(eventWords.plan);
  }
  /** Index in the listener's classifier; -1: not recognised. */
  get protocol(): number {
    return this.#word(eventWords.protocol);
  }
  get cause(): Cause {
    return causes[this.#word(eventWords.cause)] as Cause;
  }
  /** Arena offset of the sniffed bytes (`proxied`: of the PROXY header; `answered`: of the endpoint's answer). */
  get bytesOffset(): number {
    return this.#word(eventWords.bytesOffset);
  }
  get bytesLength(): number {
    return this.#word(eventWords.bytesLength);
  }
  /** `unreachable`: the connection was there, and the conversation before the session's bytes failed. */
  get wasConnected(): boolean {
    return this.#word(eventWords.cause) === 1;
  }
  get decidedAt(): number {
    return this.#word(eventWords.decidedAt);
  }
  /** What has refused a connection; empty: it was refused for lack of descriptors. */
  get check(): Check {
    return checks[this.#word(eventWords.cause)] as Check;
  }
  /** errno of a failed connection, or of one that was refused for lack of descriptors; otherwise 0. */
  get error(): number {
    return this.#word(eventWords.error);
  }
  get by(): Ender {
    return enders[this.#word(eventWords.by)] as Ender;
  }
  get during(): Stage {
    return stages[this.#word(eventWords.during)] as Stage;
  }
  get reason(): Reason {
    return reasons[this.#word(eventWords.reason)] as Reason;
  }
  /** Its session is a flow of datagrams. */
  get isDatagram(): boolean {
    return this.#word(eventWords.datagram) === 1;
  }
  /** Its session is a stream of a link over KCP. */
  get isKcp(): boolean {
    return this.#word(eventWords.datagram) === 2;
  }
  get sourcePort(): number {
    return this.#word(eventWords.sourcePort);
  }
  /** `unreachable`, `moved` and `followed`, of a flow: its counter row; 0: not identified. */
  get row(): number {
    return this.#word(eventWords.row);
  }
  /** Likewise: its upstream, an index in the Plan of the event. */
  get upstream(): number {
    return this.#word(eventWords.upstream);
  }
  /** Likewise: id of the endpoint that it had; 0: it is gone. */
  get endpoint(): number {
    return this.#word(eventWords.endpoint);
  }
  get bytesUp(): number {
    return this.#number(eventNumbers.bytesUp);
  }
  get bytesDown(): number {
    return this.#number(eventNumbers.bytesDown);
  }
  get durationMs(): number {
    return this.#number(eventNumbers.durationMs);
  }
  get identifyMs(): number {
    return this.#number(eventNumbers.identifyMs);
  }
  get connectMs(): number {
    return this.#number(eventNumbers.connectMs);
  }

  /** Connections refused since the last `refused` event and not reported. */
  get refusedUnshown(): number {
    return this.bytesLength;
  }

  /** First bytes in hexadecimal of a session that ended before any byte was relayed; may be empty. */
  opening(): string {
    const start = (this.#at + eventWords.opening) * 4;
    const bytes = this.#bytes.subarray(start, start + this.#word(eventWords.openingLength));
    return hexOf(bytes, bytes.length);
  }

  /** The client's address, a literal without port; empty for a Unix socket. */
  sourceAddress(): string {
    const start = (this.#at + eventWords.source) * 4;
    return addressOf(this.#word(eventWords.sourceFamily), this.#bytes.subarray(start, start + 16));
  }

  #word(offset: number): number {
    return this.#words[this.#at + offset] as number;
  }
  #number(offset: number): number {
    return this.#numbers[this.#at / 2 + offset] as number;
  }
}

/** The first `bytesMax` bytes in hexadecimal. */
export const hexOf = (bytes: Uint8Array, bytesMax: number): string =>
  Buffer.from(bytes.subarray(0, bytesMax)).toString('hex');

/** Text of a source's address (native/net/address.h, Source): `family` 4, 6, or 0 for a Unix socket, which has none. */
export function addressOf(family: number, bytes: Uint8Array): string {
  if (family === 4) return `${bytes[0]}.${bytes[1]}.${bytes[2]}.${bytes[3]}`;
  return family === 6 ? ipv6Text(bytes) : '';
}

/** RFC 5952: lower case, `::` for the first longest run of zero groups. */
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

const NOTHING = new Uint8Array();
const NO_ADDRESSES: readonly InetAddress[] = [];
const NO_WORDS: Words = { bytes: NOTHING, expected: 0 };
/** Of the sniffed bytes. */
const ALL = 0xffff_ffff;

/** Writes answers; flushes the ring when it is full. */
export class Answers {
  readonly memory: ArrayBuffer;
  readonly #words: Uint32Array;
  readonly #answerWords: number;
  readonly #answersMax: number;
  /** Bytes of answers, behind them. */
  readonly #area: Uint8Array;
  #areaUsed = 0;
  readonly #layout: Native['layout'];
  readonly #flush: () => void;

  constructor(layout: Native['layout'], flush: () => void) {
    const { answerWords, answersMax, answerBytes } = layout;
    const words = 1 + answerWords * answersMax;
    this.#layout = layout;
    this.memory = new ArrayBuffer(words * 4 + answerBytes);
    this.#words = new Uint32Array(this.memory, 0, words);
    this.#area = new Uint8Array(this.memory, words * 4);
    this.#answerWords = answerWords;
    this.#answersMax = answersMax;
    this.#flush = flush;
  }

  /** Connect the session to one of an endpoint's addresses, or of its own. */
  dial(id: SessionId, row: number, dial: Dial): void {
    const { patient, endpoint, endpointRow, upstream, preamble, taken = 0, greeting = NOTHING } = dial;
    const addresses = 'addresses' in dial ? dial.addresses : NO_ADDRESSES;
    const { ownAddressesMax, ownAddressBytes } = this.#layout;
    assert(addresses.length <= ownAddressesMax, 'a session has too many addresses');
    const bytes = this.#lengthOf(greeting) + addresses.length * ownAddressBytes;
    const at = this.#begin('dial', id, row, this.#lengthOf((preamble ?? NO_WORDS).bytes) + bytes);
    const words = this.#words;
    words[at + answerWords.first] = 'addresses' in dial ? 0 : dial.first;
    words[at + answerWords.count] = 'addresses' in dial ? 0 : dial.count;
    words[at + answerWords.patient] = Number(patient);
    words[at + answerWords.endpoint] = endpoint;
    words[at + answerWords.endpointRow] = endpointRow;
    words[at + answerWords.upstream] = upstream;
    words[at + answerWords.taken] = taken;
    words[at + answerWords.greetingLength] = greeting.length;
    words[at + answerWords.addressCount] = addresses.length;
    words[at + answerWords.sendLength] = 0;
    if (preamble === null && bytes === 0) return;
    this.#say(at, preamble ?? NO_WORDS);
    this.#append(greeting, addresses);
  }

  /** Behind the bytes for the endpoint. */
  #append(greeting: Uint8Array, addresses: readonly InetAddress[]): void {
    this.#area.set(greeting, this.#areaUsed);
    this.#areaUsed += greeting.length;
    for (const { host, port } of addresses) {
      const bytes = addressBytes(host);
      this.#area.set(bytes, this.#areaUsed);
      this.#area.set([port & 0xff, port >> 8, bytes.length === 4 ? 4 : 6, 0], this.#areaUsed + 16);
      this.#areaUsed += this.#layout.ownAddressBytes;
    }
  }

  /**
   * The endpoint's answer is `taken` bytes long; it is told further words, or, with none of them, gets the session's
   * bytes.
   */
  goOn(id: SessionId, row: number, taken: number, words: Words = NO_WORDS): void {
    const at = this.#begin('go_on', id, row, this.#lengthOf(words.bytes));
    this.#words[at + answerWords.taken] = taken;
    this.#say(at, words);
  }

  /** The endpoint's answer is a refusal: its connection is closed, and an `unreachable` event follows. */
  giveUp(id: SessionId, row: number): void {
    this.#begin('give_up', id, row);
  }

  /**
   * The first `taken` of the sniffed bytes are answered by `bytes` to the client, and dropped; then as `wait`. If there
   * are `bytesInAll` behind them, the session is reported at once.
   */
  reply(id: SessionId, row: number, bytes: Uint8Array, bytesInAll: number, taken = ALL): void {
    assert(taken > 0, 'an answer takes no bytes');
    const at = this.#begin('reply', id, row, this.#lengthOf(bytes));
    this.#words[at + answerWords.bytesWanted] = bytesInAll;
    this.#words[at + answerWords.taken] = taken;
    this.#say(at, { bytes, expected: 0 });
  }

  /**
   * The decision takes longer than a turn, at most `ms`: the session waits for another answer, and nothing is read
   * meanwhile. If its client resets the connection, it ends.
   */
  hold(id: SessionId, row: number, ms: number): void {
    const at = this.#begin('hold', id, row);
    this.#words[at + answerWords.holdMs] = ms;
  }

  /**
   * The last bytes for the client, and the end of a session that is not relayed yet. What the client still sends is read
   * and dropped until it closes, within the limits of native/stream/lingering.h: a reset would take them from it.
   */
  refuse(id: SessionId, row: number, bytes: Uint8Array, by: Ender, during: Stage, reason: Reason): void {
    const at = this.#begin('refuse', id, row, this.#lengthOf(bytes));
    this.#endAs(at, by, during, reason);
    this.#say(at, { bytes, expected: 0 });
  }

  /** Every endpoint is full: wait for a place, or go on waiting; `choosy`: without holding up those behind. */
  queue(id: SessionId, row: number, upstream: number, choosy: boolean): void {
    const at = this.#begin('queue', id, row);
    this.#words[at + answerWords.choosy] = Number(choosy);
    this.#words[at + answerWords.upstream] = upstream;
  }

  /**
   * Read until the prefix has `bytesInAll` bytes. A non-zero `row`: the protocol is certain, only facts are missing.
   * After a silence of `quietMs` the session is reported as it is; 0: never.
   */
  wait(id: SessionId, row: number, bytesInAll: number, quietMs = 0): void {
    const at = this.#begin('wait', id, row);
    this.#words[at + answerWords.bytesWanted] = bytesInAll;
    this.#words[at + answerWords.quietMs] = quietMs;
  }

  end(id: SessionId, row: number, by: Ender, during: Stage, reason: Reason, closing: Closing): void {
    const at = this.#begin('end', id, row);
    this.#endAs(at, by, during, reason);
    this.#words[at + answerWords.closing] = closings.indexOf(closing);
  }

  #endAs(at: number, by: Ender, during: Stage, reason: Reason): void {
    const words = this.#words;
    words[at + answerWords.by] = enders.indexOf(by);
    words[at + answerWords.during] = stages.indexOf(during);
    words[at + answerWords.reason] = reasons.indexOf(reason);
  }

  /** The match is refused: report the session again when another protocol matches, or none can. */
  reject(id: SessionId): void {
    this.#begin('reject', id, 0);
  }

  /** Nothing is decided before the first byte, or behind a well-formed PROXY header: sniff. */
  proceed(id: SessionId): void {
    this.#begin('proceed', id, 0);
  }

  #lengthOf({ length }: Uint8Array): number {
    assert(length <= this.#layout.sendBytesMax, 'an answer has too many bytes');
    return length;
  }

  /** Room for the bytes has been made. */
  #say(at: number, { bytes, expected }: Words): void {
    this.#area.set(bytes, this.#areaUsed);
    this.#words[at + answerWords.sendOffset] = this.#areaUsed;
    this.#words[at + answerWords.sendLength] = bytes.length;
    this.#words[at + answerWords.expected] = expected;
    this.#areaUsed += bytes.length;
  }

  /** Starts an answer and returns its offset; the caller writes the words of its kind. */
  #begin(kind: AnswerKind, id: SessionId, row: number, bytes = 0): number {
    const words = this.#words;
    if (words[0] === this.#answersMax || this.#areaUsed + bytes > this.#area.length) this.#flush();
    const count = words[0] as number;
    if (count === 0) this.#areaUsed = 0;
    const at = 1 + count * this.#answerWords;
    words[at + answerWords.kind] = answerKinds.indexOf(kind);
    words[at + answerWords.slot] = id.slot;
    words[at + answerWords.generation] = id.generation;
    words[at + answerWords.row] = row;
    words[0] = count + 1;
    return at;
  }
}
