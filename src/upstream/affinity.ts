/**
 * Which endpoint a client was sent to last, in memory that all workers share, without a lock: upstream and key → id of
 * the endpoint, for `cache_ttl` after the last session. Keys are hashes with a seed of the process; the memory is bounded,
 * and of a full set the entry that ends first gives way. It says where sessions go, never what a client speaks.
 */
import { hashText, mixed } from './hash.js';

export const affinityLimits = {
  /** Entries of all upstreams together: 2 MiB, touched only when used. */
  entries: 131_072,
  /** An endpoint that is down keeps its clients for so long; then the one that serves them meanwhile gets them. */
  keptWhileDownMs: 60_000,
} as const;

/** Word offsets: two words of seed, then sets of entries. */
const HEAD_WORDS = 16;
const ENTRY_WORDS = 4;
/** Entries that a key may be in: one cache line. */
const SET_ENTRIES = 4;
const SETS = affinityLimits.entries / SET_ENTRIES;

/**
 * An entry. `check` is the first half of the key's hash xor a mix of endpoint and end: of an entry that is read while another
 * thread writes it, they do not fit together, and nothing is found.
 */
const entryWords = { check: 0, hash: 1, endpoint: 2, ends: 3 } as const;

/** Ends are in tenths of a second of the machine's monotonic clock: the same in all threads, for years. */
export const TICK_MS = 100;

/** `random`: returns a number in [0, 1). */
export function createAffinityMemory(random: () => number = Math.random): SharedArrayBuffer {
  const memory = new SharedArrayBuffer((HEAD_WORDS + affinityLimits.entries * ENTRY_WORDS) * 4);
  const words = new Int32Array(memory);
  for (const word of [0, 1]) words[word] = Math.floor(random() * 2 ** 32);
  return memory;
}

export class AffinityTable {
  readonly #words: Int32Array;
  readonly #seeds: readonly [number, number];
  /** Of the key in hand: its set's first word, and the halves of its hash. */
  #set = 0;
  #low = 0;
  #high = 0;

  constructor(memory: SharedArrayBuffer = createAffinityMemory()) {
    this.#words = new Int32Array(memory);
    this.#seeds = [this.#words[0] as number, this.#words[1] as number];
  }

  /** Id of the key's endpoint; -1: none. */
  find(upstream: number, key: string, nowTicks: number): number {
    this.#locate(upstream, key);
    const entry = this.#entry(nowTicks);
    return entry < 0 ? -1 : Atomics.load(this.#words, entry + entryWords.endpoint);
  }

  /** The key's endpoint until `endsTicks`. */
  set(upstream: number, key: string, endpoint: number, nowTicks: number, endsTicks: number): void {
    this.#locate(upstream, key);
    const known = this.#entry(nowTicks);
    this.#write(known < 0 ? this.#victim(nowTicks) : known, endpoint, endsTicks);
  }

  /** The key's entry, if there is one, ends at `endsTicks` at the latest. */
  shorten(upstream: number, key: string, nowTicks: number, endsTicks: number): void {
    this.#locate(upstream, key);
    const entry = this.#entry(nowTicks);
    if (entry < 0 || Atomics.load(this.#words, entry + entryWords.ends) <= endsTicks) return;
    this.#write(entry, Atomics.load(this.#words, entry + entryWords.endpoint), endsTicks);
  }

  #locate(upstream: number, key: string): void {
    const [one, other] = this.#seeds;
    const low = mixed(hashText(key, one) ^ upstream);
    this.#low = low | 0;
    this.#high = mixed(hashText(key, other) + upstream) | 0;
    this.#set = HEAD_WORDS + (low % SETS) * SET_ENTRIES * ENTRY_WORDS;
  }

  /** First word of the key's entry, or -1. */
  #entry(nowTicks: number): number {
    for (let way = 0; way < SET_ENTRIES; way++) {
      const at = this.#set + way * ENTRY_WORDS;
      if (Atomics.load(this.#words, at + entryWords.hash) !== this.#high) continue;
      const endpoint = Atomics.load(this.#words, at + entryWords.endpoint);
      const ends = Atomics.load(this.#words, at + entryWords.ends);
      const check = Atomics.load(this.#words, at + entryWords.check);
      if (check === (this.#low ^ bound(endpoint, ends)) && ends > nowTicks) return at;
    }
    return -1;
  }

  /** First word of the entry that ends first; one that has ended does. */
  #victim(nowTicks: number): number {
    let victim = this.#set;
    let first = Number.POSITIVE_INFINITY;
    for (let way = 0; way < SET_ENTRIES; way++) {
      const at = this.#set + way * ENTRY_WORDS;
      const ends = Math.max(Atomics.load(this.#words, at + entryWords.ends), nowTicks);
      if (ends < first) [victim, first] = [at, ends];
    }
    return victim;
  }

  #write(at: number, endpoint: number, ends: number): void {
    Atomics.store(this.#words, at + entryWords.check, this.#low ^ bound(endpoint, ends));
    Atomics.store(this.#words, at + entryWords.hash, this.#high);
    Atomics.store(this.#words, at + entryWords.endpoint, endpoint);
    Atomics.store(this.#words, at + entryWords.ends, ends);
  }
}

const bound = (endpoint: number, ends: number): number => mixed(mixed(endpoint) + ends) | 0;
