/**
 * Events of an engine, read in place from the ring that it shares with its worker; what they are answered is in
 * ./answers.ts. Offsets are those of native/desk/rings.h; a test compares them.
 */
import type { Native } from '../addon.js';
import {
  type Check,
  checks,
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
  'targeted',
] as const;
export type EventKind = (typeof eventKinds)[number];

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
  // targeted
  controlSlot: 9,
  controlGeneration: 10,
} as const;

/** Offsets of an event's 64-bit floats, in floats from its start (EventNumber). */
export const eventNumbers = {
  bytesUp: 10,
  bytesDown: 11,
  durationMs: 12,
  identifyMs: 13,
  connectMs: 14,
} as const;

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
  /**
   * Arena offset of the sniffed bytes (`proxied`: of the PROXY header; `answered`: of the endpoint's answer; `targeted`: of the
   * header of SOCKS).
   */
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
  /** `targeted`: the session of the association's connection. */
  get control(): SessionId {
    return {
      slot: this.#word(eventWords.controlSlot),
      generation: this.#word(eventWords.controlGeneration),
    };
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
