/** What the classifiers (C++ and the TypeScript oracle) are made of and what they say. */
import type { Verdict } from './protocol.js';

/** A DFA in flat form. States: 0 is dead, 1 is accept (absorbing), 2 is the start. */
export interface Dfa {
  /** Byte → class, 256 of them. */
  readonly classes: Uint8Array;
  /** How many classes there are: the length of a row of `transitions`. */
  readonly classCount: number;
  /** State × class → next state. */
  readonly transitions: Uint16Array;
  /** What is not accepted within so many bytes never is. */
  readonly maxBytes: number;
}

/** One protocol's signature, compiled. */
export interface Automaton {
  /** All must accept. They are walked one after the other, each from the first byte; one at least. */
  readonly dfas: readonly Dfa[];
  /** Arithmetic that must hold once all have accepted: src/protocols/dfa/checks.ts says how it is laid out. */
  readonly checks: Int32Array;
  /** No match before so many bytes. */
  readonly minBytes: number;
}

export interface ClassifierTables {
  /** Best rank first; a protocol is known by its position. */
  readonly automata: readonly Automaton[];
  /** The leading ones that are routed: once all of them are out, waiting longer can not change the route. */
  readonly routable: number;
}

export interface Decision {
  readonly verdict: 'match' | 'more' | 'unknown';
  /** A position in the tables; -1 unless the verdict is `match`. */
  readonly protocol: number;
  /** The bytes that settled it; for `more`, the bytes seen. */
  readonly decidedAt: number;
}

/** What was said of a protocol whose signature had matched, and how many bytes it took to say so. */
export interface Settlement {
  readonly verdict: Verdict;
  readonly at: number;
  /** For `more`: a silence of so long settles it; absent: nothing but bytes does. */
  readonly quietMs?: number;
}
