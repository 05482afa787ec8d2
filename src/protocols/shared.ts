/** Automata in memory that all threads share: a Plan that is posted takes references along, and no copies. */
import type { Automaton } from '../model/classifier.js';

type Numbers = Uint8Array | Uint16Array | Int32Array;

/** Of the largest element. */
const ALIGNMENT = Int32Array.BYTES_PER_ELEMENT;

const roomFor = ({ byteLength }: Numbers): number => Math.ceil(byteLength / ALIGNMENT) * ALIGNMENT;

/** The same automata, all in one piece of memory. */
export function inSharedMemory(automata: readonly Automaton[]): Automaton[] {
  const arrays = automata.flatMap(({ dfas, checks }) => [
    checks,
    ...dfas.flatMap(({ classes, transitions }) => [classes, transitions]),
  ]);
  const memory = new SharedArrayBuffer(arrays.reduce((sum, array) => sum + roomFor(array), 0));
  let used = 0;
  const place = <T extends Numbers>(array: T, view: (at: number) => T): T => {
    const placed = view(used);
    placed.set(array);
    used += roomFor(array);
    return placed;
  };
  const bytes = (array: Uint8Array) =>
    place<Uint8Array>(array, (at) => new Uint8Array(memory, at, array.length));
  const states = (array: Uint16Array) =>
    place<Uint16Array>(array, (at) => new Uint16Array(memory, at, array.length));
  const integers = (array: Int32Array) =>
    place<Int32Array>(array, (at) => new Int32Array(memory, at, array.length));
  return automata.map(({ dfas, checks, minBytes }) => ({
    dfas: dfas.map((dfa) => ({
      ...dfa,
      classes: bytes(dfa.classes),
      transitions: states(dfa.transitions),
    })),
    checks: integers(checks),
    minBytes,
  }));
}
