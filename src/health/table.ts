/**
 * Who is well, in shared memory by endpoint id: the primary writes, every worker reads without a message. Zeroed memory
 * says that everybody is well, and so does an id beyond its capacity.
 */

/** Word offsets: a count of changes, then one word per endpoint id. */
const tableWords = { changes: 0, endpoints: 1 } as const;

/** About 260,000 endpoint ids; pages are touched only when used. */
const TABLE_BYTES = 1024 * 1024;

const DOWN = 1;
/** What is held back of the whole share, in the bits above the flags. */
const HELD_BACK_BIT = 8;

/** An endpoint's share of its weight when it has all of it. */
export const WHOLE_SHARE = 256;

export interface EndpointHealth {
  /** New sessions may go there. */
  readonly up: boolean;
  /** Part of its weight that counts now, 0..256: less while it starts slowly, or as its agent says. */
  readonly share: number;
}

export const createHealthMemory = (): SharedArrayBuffer => new SharedArrayBuffer(TABLE_BYTES);

export class HealthTable {
  readonly #words: Int32Array;

  constructor(memory: SharedArrayBuffer = createHealthMemory()) {
    this.#words = new Int32Array(memory);
  }

  /** Another number after every change: what was derived from the table is stale. */
  get changes(): number {
    return Atomics.load(this.#words, tableWords.changes);
  }

  isUp(endpoint: number): boolean {
    return (this.#word(endpoint) & DOWN) === 0;
  }

  /** 0..256. */
  share(endpoint: number): number {
    return WHOLE_SHARE - (this.#word(endpoint) >> HELD_BACK_BIT);
  }

  /** By the primary alone. An id beyond the capacity stays well. */
  set(endpoint: number, { up, share }: EndpointHealth): void {
    const at = tableWords.endpoints + endpoint;
    if (at >= this.#words.length) return;
    const word = ((WHOLE_SHARE - share) << HELD_BACK_BIT) | (up ? 0 : DOWN);
    if (Atomics.exchange(this.#words, at, word) !== word) Atomics.add(this.#words, tableWords.changes, 1);
  }

  #word(endpoint: number): number {
    return this.#words[tableWords.endpoints + endpoint] ?? 0;
  }
}
