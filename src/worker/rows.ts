/** Rows of live sessions that an engine writes (native/desk/listing.h), read in place. */
import type { Native } from '../addon.js';
import { hostPort } from '../base/address.js';
import type { Transport } from '../model/protocol.js';
import { type Stage, stages } from '../model/session.js';
import { addressOf } from './rings.js';

/** Word offsets of a row; a test compares them with the engine's. */
export const rowWords = {
  slot: 0,
  generation: 1,
  plan: 2,
  listener: 3,
  protocol: 4,
  stage: 5,
  dial: 6,
  sourcePort: 7,
  sourceFamily: 8,
  source: 9,
  datagram: 13,
  upstream: 14,
  ownPort: 15,
  ownFamily: 16,
  own: 17,
} as const;

/** Offsets of a row's 64-bit floats, in floats from its start. */
export const rowNumbers = { bytesUp: 11, bytesDown: 12, ageMs: 13, idleMs: 14 } as const;

/** A cursor over one slice. Over 20 methods: one getter for each word of a row. */
export class RowCursor {
  readonly memory: ArrayBuffer;
  readonly #words: Int32Array;
  readonly #numbers: Float64Array;
  readonly #bytes: Uint8Array;
  readonly #headWords: number;
  readonly #rowWords: number;
  #at = 0;

  constructor({ listingWords, listingHeadWords, rowWords: words }: Native['layout']) {
    this.memory = new ArrayBuffer(listingWords * 4);
    this.#words = new Int32Array(this.memory);
    this.#numbers = new Float64Array(this.memory);
    this.#bytes = new Uint8Array(this.memory);
    this.#headWords = listingHeadWords;
    this.#rowWords = words;
  }

  /** Rows in this slice. */
  get count(): number {
    return this.#words[0] as number;
  }
  /** Slot at which the next slice starts; 0: this is the last one. */
  get next(): number {
    return this.#words[1] as number;
  }

  moveTo(row: number): void {
    this.#at = this.#headWords + row * this.#rowWords;
  }

  get slot(): number {
    return this.#word(rowWords.slot);
  }
  get generation(): number {
    return this.#word(rowWords.generation);
  }
  /** Generation of the session's Plan. */
  get plan(): number {
    return this.#word(rowWords.plan);
  }
  get transport(): Transport {
    return this.#word(rowWords.datagram) === 1 ? 'udp' : 'tcp';
  }
  /** A stream of a link over KCP. */
  get isKcp(): boolean {
    return this.#word(rowWords.datagram) === 2;
  }
  get listener(): number {
    return this.#word(rowWords.listener);
  }
  /** Index in the listener's classifier; -1: not identified. */
  get protocol(): number {
    return this.#word(rowWords.protocol);
  }
  get stage(): Stage {
    return stages[this.#word(rowWords.stage)] as Stage;
  }
  /** Index into the runtime's dials; -1: none, or an in-process handler. */
  get dial(): number {
    return this.#word(rowWords.dial);
  }
  /** Index in the Plan; -1: not routed yet. */
  get upstream(): number {
    return this.#word(rowWords.upstream);
  }
  get sourcePort(): number {
    return this.#word(rowWords.sourcePort);
  }
  get bytesUp(): number {
    return this.#number(rowNumbers.bytesUp);
  }
  get bytesDown(): number {
    return this.#number(rowNumbers.bytesDown);
  }
  get ageMs(): number {
    return this.#number(rowNumbers.ageMs);
  }
  /** Negative before the relay. */
  get idleMs(): number {
    return this.#number(rowNumbers.idleMs);
  }

  /** The client's address, a literal without port; empty for a Unix socket. */
  sourceAddress(): string {
    return this.#addressAt(rowWords.source, rowWords.sourceFamily);
  }

  /** The session's own address, `192.0.2.7:443`, that is connected or tried; empty: it dials addresses of the Plan. */
  ownAddress(): string {
    const host = this.#addressAt(rowWords.own, rowWords.ownFamily);
    return host === '' ? '' : hostPort(host, this.#word(rowWords.ownPort));
  }

  #addressAt(offset: number, family: number): string {
    const start = (this.#at + offset) * 4;
    return addressOf(this.#word(family), this.#bytes.subarray(start, start + 16));
  }

  #word(offset: number): number {
    return this.#words[this.#at + offset] as number;
  }
  #number(offset: number): number {
    return this.#numbers[this.#at / 2 + offset] as number;
  }
}
