/** Compiles signatures to automata and builds the tables of a classifier. */
import assert from 'node:assert/strict';
import type { Automaton, ClassifierTables } from '../model/classifier.js';
import type { Signature } from '../model/protocol.js';
import { compileSignature } from './dfa/signature.js';
import { readPrecompiled } from './precompiled.js';

export interface ClassifierEntry {
  readonly id: string;
  readonly signature: Signature;
}

/** Cache size in automata: twice the upper bound of one classifier. */
const cachedMax = 512;
let cached: Map<string, Automaton> | undefined;

/** `entries` in rank order; the first `routable` of them have routes. */
export function compileClassifier(entries: readonly ClassifierEntry[], routable: number): ClassifierTables {
  return { automata: entries.map(compileAutomaton), routable };
}

/** The signature must have passed checkSignature. Results are cached by signature. */
export function compileAutomaton({ id, signature }: ClassifierEntry): Automaton {
  cached ??= new Map(readPrecompiled());
  const key = signatureText(signature);
  const known = cached.get(key);
  if (known) return known;
  const compiled = compileSignature(signature);
  assert(compiled.ok, `${id}: ${compiled.ok || compiled.problems.join('; ')}`);
  if (cached.size === cachedMax) cached.delete(cached.keys().next().value ?? '');
  cached.set(key, compiled.automaton);
  return compiled.automaton;
}

/** Two signatures with the same text have the same automaton. */
export const signatureText = (signature: Signature): string => JSON.stringify(signature);
