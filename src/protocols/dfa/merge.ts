/**
 * Merges states with equal transitions, such as those behind the commands of a line protocol. One pass from the far
 * end: not a minimal DFA, but fast to build, and small tables fit into the CPU cache.
 */
import { none, type RawDfa } from './subset.js';

/** State → its representative. `order`: useful states, breadth first. */
export function mergeAlike({ rows, accepting }: RawDfa, order: readonly number[]): Int32Array {
  const representative = Int32Array.from(rows.keys());
  const known = new Map<string, number>();
  for (const state of order.toReversed()) {
    const row = Int32Array.from(rows[state] ?? [], (next) => {
      if (next === none) return none;
      if (accepting[next]) return acceptMark;
      return next === state ? selfMark : (representative[next] ?? next);
    });
    const key = Buffer.from(row.buffer).toString('latin1');
    representative[state] = known.get(key) ?? state;
    if (representative[state] === state) known.set(key, state);
  }
  return representative;
}

/** Placeholders in a row for an accepting state and for the state itself. */
const acceptMark = -2;
const selfMark = -3;
