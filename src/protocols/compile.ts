/** Signatures → automata, and the tables of a classifier. */
import assert from 'node:assert/strict';
import type { Automaton, ClassifierTables } from '../model/classifier.js';
import type { Signature } from '../model/protocol.js';
import { compileSignature } from './dfa/signature.js';

export interface ClassifierEntry {
  readonly id: string;
  readonly signature: Signature;
}

/** Automata that are kept for the next tables: twice what one classifier may have. */
const cachedMax = 512;
const cached = new Map<string, Automaton>();

/** `entries` best rank first; the first `routable` of them are routed. */
export function compileClassifier(entries: readonly ClassifierEntry[], routable: number): ClassifierTables {
  return { automata: entries.map(compileAutomaton), routable };
}

/** The signature has been checked (checkSignature); one that is known already is not compiled again. */
export function compileAutomaton({ id, signature }: ClassifierEntry): Automaton {
  const key = JSON.stringify(signature);
  const known = cached.get(key);
  if (known) return known;
  const compiled = compileSignature(signature);
  assert(compiled.ok, `${id}: ${compiled.ok || compiled.problems.join('; ')}`);
  if (cached.size === cachedMax) cached.delete(cached.keys().next().value ?? '');
  cached.set(key, compiled.automaton);
  return compiled.automaton;
}
