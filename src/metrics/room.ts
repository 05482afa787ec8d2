/**
 * What all workers share (native/shared/room.h): 32-bit words of shared memory. Their engines write them, and take away
 * again what they have added, at the latest when their thread dies.
 */

/** Offsets of words: a test compares them with the engine's. */
export const roomWords = {
  /** Connections that are open. */
  open: 0,
  /** Those that ended because their thread died. */
  cutShort: 1,
  /** Sessions on an endpoint or on their way to it: one word an id. */
  endpoints: 2,
} as const;

/** Room for some 260,000 ids of endpoints; touched only where it is used. */
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

  get cutShort(): number {
    return Atomics.load(this.words, roomWords.cutShort);
  }

  /** Of all workers. 0 for an endpoint that found no word of its own. */
  sessions(endpoint: number): number {
    return this.words[roomWords.endpoints + endpoint] ?? 0;
  }
}
