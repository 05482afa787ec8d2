/**
 * Subset construction: NFA to DFA. A source stays accepted whatever follows, since two sources need not end at the
 * same byte.
 *
 * States and work are both bounded: a short pattern can require exponentially many.
 */
import { type ByteSet, byteValues } from './byte-set.js';
import { type Nfa, TooLargeError } from './nfa.js';

/** A DFA with states that may be useless; numbered in order of discovery, 0 is the start. */
export interface RawDfa {
  /** Byte → class. */
  readonly classes: Uint8Array;
  readonly classCount: number;
  /** State → row of class → next state, -1: none. Accepting states have no transitions. */
  readonly rows: readonly Int32Array[];
  readonly accepting: readonly boolean[];
}

/** Upper bound on DFA states. */
export const statesMax = 20_000;

/** Upper bound on NFA states visited; takes a few tenths of a second. */
const workMax = 4_000_000;

export const none = -1;

/** Throws TooLargeError. */
export function determinize(nfa: Nfa): RawDfa {
  const { classes, classCount } = classify(nfa);
  const subsets = new Subsets(nfa, classes, classCount);
  const numbers = new Map<string, number>();
  const states: Uint16Array[] = [];
  const numberOf = (state: Uint16Array | null): number => {
    if (state === null) return none;
    const key = Buffer.from(state.buffer).toString('latin1');
    const known = numbers.get(key);
    if (known !== undefined) return known;
    if (states.length === statesMax) throw new TooLargeError();
    numbers.set(key, states.length);
    return states.push(state) - 1;
  };
  numberOf(subsets.closure(nfa.starts));
  // `states` grows during the loop: it is the queue.
  const rows: Int32Array[] = [];
  for (const state of states) rows.push(Int32Array.from(subsets.after(state), numberOf));
  return { classes, classCount, rows, accepting: states.map((state) => subsets.accepts(state)) };
}

/** Bytes that every set of the NFA treats alike share a class. */
function classify({ bytes }: Nfa): { classes: Uint8Array; classCount: number } {
  let classes = new Uint8Array(byteValues);
  let classCount = 1;
  for (const set of new Set(bytes)) {
    if (set === null) continue;
    const numbers = new Map<number, number>();
    classes = classes.map((known, byte) => {
      const key = known * 2 + (set[byte] ?? 0);
      const number = numbers.get(key) ?? numbers.size;
      numbers.set(key, number);
      return number;
    });
    classCount = numbers.size;
  }
  return { classes, classCount };
}

/** Sets of NFA states, ascending: only states that consume a byte or accept. */
class Subsets {
  readonly #nfa: Nfa;
  readonly #classCount: number;
  /** Byte set → the classes in it. */
  readonly #members = new Map<ByteSet, readonly number[]>();
  /** State → 1 where a source accepts. */
  readonly #accepting: Uint8Array;
  /** State → its epsilon closure, computed on first use. */
  readonly #reached: (readonly number[] | undefined)[];
  /** State → the last search that visited it. */
  readonly #met: Uint32Array;
  #searches = 0;
  #work = 0;

  constructor(nfa: Nfa, classes: Uint8Array, classCount: number) {
    const states = nfa.after.length;
    this.#nfa = nfa;
    this.#classCount = classCount;
    this.#reached = new Array(states);
    this.#met = new Uint32Array(states);
    this.#accepting = new Uint8Array(states);
    for (const state of nfa.accepting) this.#accepting[state] = 1;
    for (const set of new Set(nfa.bytes)) {
      if (set !== null) this.#members.set(set, [...new Set(classes.filter((_, byte) => set[byte] === 1))]);
    }
  }

  /** Whether all sources have accepted. */
  accepts(state: Uint16Array): boolean {
    return state.every((each) => this.#accepting[each] === 1);
  }

  /** Class → next set; null: none. */
  after(state: Uint16Array): (Uint16Array | null)[] {
    const seeds = Array.from({ length: this.#classCount }, (): number[] => []);
    if (this.accepts(state)) return seeds.map(() => null);
    for (const each of state) {
      if (this.#accepting[each] === 1) for (const seed of seeds) seed.push(each);
      const next = this.#nfa.after[each]?.[0] ?? 0;
      for (const byteClass of this.#classesOf(each)) seeds[byteClass]?.push(next);
    }
    return seeds.map((seed) => (seed.length === 0 ? null : this.closure(seed)));
  }

  /** Epsilon closure of `seeds`; null when a source can no longer be satisfied. */
  closure(seeds: readonly number[]): Uint16Array<ArrayBuffer> | null {
    const reached = seeds.map((seed) => (this.#reached[seed] ??= this.#reachedFrom(seed)));
    const search = ++this.#searches;
    const found: number[] = [];
    for (const states of reached) {
      this.#spend(1 + states.length);
      for (const state of states) {
        if (this.#met[state] !== search) found.push(state);
        this.#met[state] = search;
      }
    }
    return this.#reduce(found);
  }

  #reachedFrom(seed: number): readonly number[] {
    const search = ++this.#searches;
    const waiting = [seed];
    const found: number[] = [];
    for (let state = waiting.pop(); state !== undefined; state = waiting.pop()) {
      if (this.#met[state] === search) continue;
      this.#met[state] = search;
      this.#spend(1);
      if (this.#nfa.bytes[state] !== null || this.#accepting[state] === 1) found.push(state);
      else waiting.push(...(this.#nfa.after[state] ?? []));
    }
    return found;
  }

  /** Of a source that has accepted, only its accepting state is kept. */
  #reduce(found: readonly number[]): Uint16Array<ArrayBuffer> | null {
    const { accepting, sources } = this.#nfa;
    const accepted = accepting.map((state) => this.#met[state] === this.#searches);
    const kept = found.filter((state) => !accepted[sources[state] ?? 0] || this.#accepting[state] === 1);
    const alive = accepting.every((_, source) => kept.some((state) => sources[state] === source));
    return alive ? Uint16Array.from(kept).sort() : null;
  }

  #classesOf(state: number): readonly number[] {
    const set = this.#nfa.bytes[state];
    return (set && this.#members.get(set)) ?? [];
  }

  #spend(work: number): void {
    this.#work += work;
    if (this.#work > workMax) throw new TooLargeError();
  }
}
