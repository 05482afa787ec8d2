/** Compiles signatures to automata and builds the tables of a classifier. */
import assert from 'node:assert/strict';
import type { Automaton, ClassifierTables } from '../model/classifier.js';
import type { Signature } from '../model/protocol.js';
import { compileSignature } from './dfa/signature.js';
import { readPrecompiled } from './precompiled.js';
import { inSharedMemory } from './shared.js';

export interface ClassifierEntry {
  readonly id: string;
  readonly signature: Signature;
}

export interface Compiled {
  readonly automaton: Automaton;
  /** Equal ids mean equal automata, also in copies on other threads. Unique for the life of the process. */
  readonly automatonId: number;
}

/** Cache size in automata: twice the upper bound of one classifier. */
const cachedMax = 512;
let cached: Map<string, Compiled> | undefined;
/** Spares the text of a signature that has been compiled. */
const known = new WeakMap<Signature, Compiled>();
let nextId = 0;

/** `entries` in rank order; the first `routable` of them have routes. */
export function compileClassifier(entries: readonly ClassifierEntry[], routable: number): ClassifierTables {
  return { automata: entries.map(compileAutomaton), routable };
}

export const compileAutomaton = (entry: ClassifierEntry): Automaton => compileOnce(entry).automaton;

/** The signature must have passed checkSignature and may not change. Results are cached by signature. */
export function compileOnce(entry: ClassifierEntry): Compiled {
  const { signature } = entry;
  const found = known.get(signature) ?? compileByText(entry);
  known.set(signature, found);
  return found;
}

function compileByText({ id, signature }: ClassifierEntry): Compiled {
  cached ??= builtInAutomata();
  const key = signatureText(signature);
  const found = cached.get(key);
  if (found) return found;
  const compiled = compileSignature(signature);
  assert(compiled.ok, `${id}: ${compiled.ok || compiled.problems.join('; ')}`);
  if (cached.size === cachedMax) cached.delete(cached.keys().next().value ?? '');
  const [automaton] = inSharedMemory([compiled.automaton]) as [Automaton];
  const answer = numbered(automaton);
  cached.set(key, answer);
  return answer;
}

function builtInAutomata(): Map<string, Compiled> {
  const precompiled = readPrecompiled();
  const automata = inSharedMemory(precompiled.map(([, automaton]) => automaton));
  return new Map(precompiled.map(([text], index) => [text, numbered(automata[index] as Automaton)]));
}

function numbered(automaton: Automaton): Compiled {
  nextId += 1;
  return { automaton, automatonId: nextId };
}

/** Two signatures with the same text have the same automaton. */
export const signatureText = (signature: Signature): string => JSON.stringify(signature);
