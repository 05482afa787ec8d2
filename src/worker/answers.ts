/** Answers to an engine, written in place into the ring that it shares with its worker. Offsets as in ./rings.ts. */
import assert from 'node:assert/strict';
import type { Native } from '../addon.js';
import { addressBytes } from '../base/network.js';
import type { InetAddress } from '../model/address.js';
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
import type { SessionId } from './rings.js';

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
