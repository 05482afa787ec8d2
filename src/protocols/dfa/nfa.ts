/** Builds an NFA from parts (Thompson's construction). */
import type { ByteSet } from './byte-set.js';
import type { Part } from './pattern.js';

/** Several sources in one NFA, all of which must be satisfied; each has its own start, accepting state and states. */
export interface Nfa {
  readonly starts: readonly number[];
  /** Index: source. */
  readonly accepting: readonly number[];
  /** State → its source. */
  readonly sources: readonly number[];
  /** State → the byte set of its only transition, to the state in `after`; null: epsilon transitions. */
  readonly bytes: readonly (ByteSet | null)[];
  /** State → successors. */
  readonly after: readonly (readonly number[])[];
}

/** Upper bound on NFA states: a larger one would exceed the DFA's limit anyway. */
const statesMax = 50_000;

export class TooLargeError extends Error {}

/** Throws TooLargeError. */
export function buildNfa(sources: readonly Part[]): Nfa {
  const builder = new Builder();
  const ends = sources.map((part, source) => builder.addSource(part, source));
  const { sources: owners, bytes, after } = builder;
  return {
    starts: ends.map(({ start }) => start),
    accepting: ends.map(({ accepting }) => accepting),
    sources: owners,
    bytes,
    after,
  };
}

class Builder {
  readonly sources: number[] = [];
  readonly bytes: (ByteSet | null)[] = [];
  readonly after: number[][] = [];
  #source = 0;

  addSource(part: Part, source: number): { start: number; accepting: number } {
    this.#source = source;
    const start = this.#state();
    return { start, accepting: this.#append(start, part) };
  }

  #state(): number {
    if (this.after.length === statesMax) throw new TooLargeError();
    this.sources.push(this.#source);
    this.bytes.push(null);
    return this.after.push([]) - 1;
  }

  #link(from: number, to: number): void {
    this.after[from]?.push(to);
  }

  /** Appends `part` behind `from`, which has no transitions yet; returns the end state. */
  #append(from: number, part: Part): number {
    switch (part.kind) {
      case 'byte':
        return this.#byte(from, part.set);
      case 'sequence':
        return part.parts.reduce((at, each) => this.#append(at, each), from);
      case 'either':
        return this.#either(from, part.parts);
      case 'repeat':
        return this.#repeat(from, part.part, part.min, part.max);
    }
  }

  #byte(from: number, set: ByteSet): number {
    const to = this.#state();
    this.bytes[from] = set;
    this.#link(from, to);
    return to;
  }

  #either(from: number, parts: readonly Part[]): number {
    const ends = parts.map((part) => this.#append(this.#branch(from), part));
    const to = this.#state();
    for (const end of ends) this.#link(end, to);
    return to;
  }

  #branch(from: number): number {
    const to = this.#state();
    this.#link(from, to);
    return to;
  }

  #repeat(from: number, part: Part, min: number, max: number): number {
    let at = from;
    for (let i = 0; i < min; i++) at = this.#append(this.#branch(at), part);
    if (max === Number.POSITIVE_INFINITY) return this.#loop(at, part);
    const skipped: number[] = [];
    for (let i = min; i < max; i++) {
      skipped.push(at);
      at = this.#append(this.#branch(at), part);
    }
    const to = this.#branch(at);
    for (const each of skipped) this.#link(each, to);
    return to;
  }

  #loop(from: number, part: Part): number {
    const entry = this.#branch(from);
    const end = this.#append(this.#branch(entry), part);
    this.#link(end, entry);
    return this.#branch(entry);
  }
}
