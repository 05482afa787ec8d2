/**
 * Automata of the built-in protocols, compiled when the program is built (scripts/automata.mjs): to compile them takes
 * half a second of CPU, which every start would pay. Where the file is not there, as in the sources, they are compiled.
 */
import { readFileSync } from 'node:fs';
import type { Automaton, Dfa } from '../model/classifier.js';

/** Signatures as text, each with its automaton. */
export type Precompiled = readonly (readonly [signature: string, automaton: Automaton])[];

const FILE = new URL('./automata.json', import.meta.url);

/** Numbers as base64, in the byte order of the platforms there are (little endian). */
interface Written {
  readonly dfas: readonly (Omit<Dfa, 'classes' | 'transitions'> & {
    readonly classes: string;
    readonly transitions: string;
  })[];
  readonly checks: string;
  readonly minBytes: number;
}

export function readPrecompiled(file: URL = FILE): Precompiled {
  const written = JSON.parse(textOf(file)) as [string, Written][];
  return written.map(([signature, automaton]) => [signature, restored(automaton)]);
}

function textOf(file: URL): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '[]';
    throw error;
  }
}

export function precompiledText(automata: Precompiled): string {
  return JSON.stringify(automata.map(([signature, automaton]) => [signature, written(automaton)]));
}

const written = ({ dfas, checks, minBytes }: Automaton): Written => ({
  dfas: dfas.map((dfa) => ({
    ...dfa,
    classes: base64(dfa.classes),
    transitions: base64(dfa.transitions),
  })),
  checks: base64(checks),
  minBytes,
});

const restored = ({ dfas, checks, minBytes }: Written): Automaton => ({
  dfas: dfas.map((dfa) => ({
    ...dfa,
    classes: new Uint8Array(bytesOf(dfa.classes)),
    transitions: new Uint16Array(bytesOf(dfa.transitions)),
  })),
  checks: new Int32Array(bytesOf(checks)),
  minBytes,
});

const base64 = ({ buffer, byteOffset, byteLength }: Uint8Array | Uint16Array | Int32Array): string =>
  Buffer.from(buffer, byteOffset, byteLength).toString('base64');

/** Memory of its own: where Buffers share theirs, larger numbers would not be aligned. */
const bytesOf = (text: string): ArrayBuffer => new Uint8Array(Buffer.from(text, 'base64')).buffer;
