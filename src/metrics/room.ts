/**
 * The room shared by all workers (native/shared/room.h): 32-bit words of shared memory, written by the engines. An
 * engine subtracts whatever it has added, at the latest when its thread dies.
 */

import { OTHER } from '../model/ids.js';

/** Word offsets; a test compares them with those of the engine. */
export const roomWords = {
  /** Open connections. */
  open: 0,
  /** Sessions ended by the death of their thread. */
  cutShort: 1,
  /** Connections held in the tarpit. */
  tarpit: 2,
  /** Flows of datagrams. */
  flows: 3,
  /** Sessions that wait for a place: `WAITING_WORDS` words, which upstream ids share. */
  waiting: 4,
  /** Open connections of a listener: one word per listener id, up to 4096. */
  listeners: 1028,
  /** Sessions connected or connecting to an endpoint: one word per endpoint id. */
  endpoints: 5124,
} as const;

const WAITING_WORDS = 1024;

/** About 260,000 endpoint ids; pages are touched only when used. */
const ROOM_BYTES = 1024 * 1024;

export const createRoom = (): SharedArrayBuffer => new SharedArrayBuffer(ROOM_BYTES);

export class Room {
  readonly words: Int32Array;

  constructor(memory: SharedArrayBuffer) {
    this.words = new Int32Array(memory);
  }

  get open(): number {
    return Atomics.load(this.words, roomWords.open);
  }

  get flows(): number {
    return Atomics.load(this.words, roomWords.flows);
  }

  get cutShort(): number {
    return Atomics.load(this.words, roomWords.cutShort);
  }

  /** Whether sessions may be waiting for a place at an upstream, on any worker. */
  someWait(upstream: number): boolean {
    return Atomics.load(this.words, roomWords.waiting + (upstream % WAITING_WORDS)) > 0;
  }

  /** Sessions on an endpoint, all workers together; endpoints beyond the room's capacity have one number in common. */
  sessions(endpoint: number): number {
    const { endpoints } = roomWords;
    return this.words[endpoints + endpoint] ?? this.words[endpoints + OTHER] ?? 0;
  }
}
