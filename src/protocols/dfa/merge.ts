/**
 * States that go on alike are one: what follows a command is the same for many of them. Not the smallest DFA there is,
 * but found in one pass from the far end: smaller tables stay in the processor's cache.
 */
import { none, type RawDfa } from './subset.js';

/** By state: the one that stands for it. `order`: the states that matter, nearest first. */
export function mergeAlike({ rows, accepting }: RawDfa, order: readonly number[]): Int32Array {
  const standIn = Int32Array.from(rows.keys());
  const known = new Map<string, number>();
  for (const state of order.toReversed()) {
    const row = Int32Array.from(rows[state] ?? [], (next) => {
      if (next === none) return none;
      if (accepting[next]) return acceptMark;
      return next === state ? selfMark : (standIn[next] ?? next);
    });
    const key = Buffer.from(row.buffer).toString('latin1');
    standIn[state] = known.get(key) ?? state;
    if (standIn[state] === state) known.set(key, state);
  }
  return standIn;
}

/** Instead of a state's number. */
const acceptMark = -2;
const selfMark = -3;
