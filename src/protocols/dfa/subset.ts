/**
 * From the automaton in many states to the one in a single state: the subset construction. A source that has
 * accepted stays so, whatever follows: two sources need not end at the same byte.
 *
 * Both the states and the work are bounded, because a short pattern can ask for very many of either.
 */
import { type ByteSet, byteValues } from './byte-set.js';
import { type Nfa, TooLargeError } from './nfa.js';

/** A DFA whose states may be in vain: numbered as they were found, the first is the start. */
export interface RawDfa {
  /** Byte → class. */
  readonly classes: Uint8Array;
  readonly classCount: number;
  /** By state: class → next state, -1 for none. Nothing follows an accepting one. */
  readonly rows: readonly Int32Array[];
  readonly accepting: readonly boolean[];
}

/** A DFA with more states than this is refused. */
export const statesMax = 20_000;

/** Looks at a state of the NFA: so many take a few tenths of a second. */
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
  // `states` grows while it is walked: this is a queue.
  const rows: Int32Array[] = [];
  for (const state of states) rows.push(Int32Array.from(subsets.after(state), numberOf));
  return { classes, classCount, rows, accepting: states.map((state) => subsets.accepts(state)) };
}

/** Bytes that no set of the automaton tells apart are of one class. */
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

/** The states that the NFA can be in at once: those that wait for a byte, and those that accept; ascending. */
class Subsets {
  readonly #nfa: Nfa;
  readonly #classCount: number;
  /** The classes that a set has bytes of. */
  readonly #members = new Map<ByteSet, readonly number[]>();
  /** By state: 1 where a source accepts. */
  readonly #accepting: Uint8Array;
  /** By state: what is reached from it without a byte, once that has been asked. */
  readonly #reached: (readonly number[] | undefined)[];
  /** By state: the search that it was last met in. */
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

  /** All sources have accepted. */
  accepts(state: Uint16Array): boolean {
    return state.every((each) => this.#accepting[each] === 1);
  }

  /** By class: where a byte of it leads; null where it leads nowhere. */
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

  /** Everything that is reached from `seeds` without a byte; null when a source can not be satisfied any more. */
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

  /** Of a source that has accepted only that is kept. */
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
