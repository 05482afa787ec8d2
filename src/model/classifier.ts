/** Input and answers of the classifiers (C++ and the TypeScript oracle). */
import type { Verdict } from './protocol.js';

/** A DFA in flat form. States 0 (dead) and 1 (accept) are absorbing; 2 is the start. */
export interface Dfa {
  /** Byte → class, 256 entries. */
  readonly classes: Uint8Array;
  /** Number of classes; row length of `transitions`. */
  readonly classCount: number;
  /** State × class → next state. */
  readonly transitions: Uint16Array;
  /** Upper bound on the bytes before acceptance. */
  readonly maxBytes: number;
}

/** One protocol's signature, compiled. */
export interface Automaton {
  /** All must accept; walked in turn, each from the first byte. One at least. */
  readonly dfas: readonly Dfa[];
  /** Checks evaluated when all DFAs have accepted; layout in src/protocols/dfa/checks.ts. */
  readonly checks: Int32Array;
  /** Lower bound on the prefix length of a match. */
  readonly minBytes: number;
}

export interface ClassifierTables {
  /** In rank order; a protocol's index is its identity here. */
  readonly automata: readonly Automaton[];
  /** The first `routable` have routes: once all of them are ruled out, more bytes can not change the route. */
  readonly routable: number;
}

export interface Decision {
  readonly verdict: 'match' | 'more' | 'unknown';
  /** Index in the tables; -1 unless the verdict is `match`. */
  readonly protocol: number;
  /** Prefix length that decided it; for `more`, the bytes seen. */
  readonly decidedAt: number;
}

/** Final verdict on a protocol whose signature matched, and the prefix length that decided it. */
export interface Settlement {
  readonly verdict: Verdict;
  readonly at: number;
  /** For `more`: a silence of this length decides it; absent: only bytes do. */
  readonly quietMs?: number;
}
