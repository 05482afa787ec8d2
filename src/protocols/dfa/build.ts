/** Compiles alternatives to a DFA that accepts at the earliest byte. */
import { type FlatDfa, flatten } from './flatten.js';
import { buildNfa, TooLargeError } from './nfa.js';
import type { Part } from './pattern.js';
import { determinize, statesMax } from './subset.js';

export type BuiltDfa =
  | { readonly ok: true; readonly dfa: FlatDfa }
  | { readonly ok: false; readonly problem: string };

/** Accepts the openings that satisfy every source, each by one of its alternatives. */
export function buildDfa(sources: readonly (readonly Part[])[]): BuiltDfa {
  try {
    const dfa = flatten(determinize(buildNfa(sources.map((parts) => ({ kind: 'either', parts })))));
    return dfa ? { ok: true, dfa } : { ok: false, problem: 'can never match: no bytes satisfy all of it' };
  } catch (error) {
    if (!(error instanceof TooLargeError)) throw error;
    return { ok: false, problem: `needs more than ${statesMax} states: make it shorter or less open` };
  }
}
