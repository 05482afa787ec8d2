/** Turns the subset construction's result into flat tables: only useful states, numbered from the start. */
import { mergeAlike } from './merge.js';
import { none, type RawDfa } from './subset.js';

export interface FlatDfa {
  readonly classes: Uint8Array;
  readonly classCount: number;
  readonly transitions: Uint16Array;
  /** Length of the shortest accepted opening; 0: accepts before the first byte. */
  readonly shortest: number;
}

export const dead = 0;
export const accept = 1;
export const start = 2;

/** Null when nothing is accepted. */
export function flatten(raw: RawDfa): FlatDfa | null {
  const useful = statesThatAccept(raw);
  if (!useful[0]) return null;
  const { order: all, shortest } = numberStates(raw, useful);
  const representative = mergeAlike(withoutUseless(raw, useful), all);
  const first = representative[0] ?? 0;
  const order = [first, ...all.filter((state) => representative[state] === state && state !== first)];
  const numbers = new Map(order.map((state, index) => [state, start + index]));
  const { classes, classCount } = raw;
  const transitions = new Uint16Array((start + order.length) * classCount);
  transitions.fill(accept, accept * classCount, (accept + 1) * classCount);
  for (const [state, number] of numbers) {
    const row = Uint16Array.from(raw.rows[state] ?? [], (next) =>
      raw.accepting[next] ? accept : (numbers.get(representative[next] ?? none) ?? dead),
    );
    transitions.set(row, number * classCount);
  }
  return { classes, classCount, transitions, shortest };
}

/** Transitions into useless states become `none`. */
function withoutUseless({ rows, ...raw }: RawDfa, useful: readonly boolean[]): RawDfa {
  return { ...raw, rows: rows.map((row) => row.map((next) => (useful[next] ? next : none))) };
}

/** By state: whether it can reach an accepting state. */
function statesThatAccept({ rows, accepting }: RawDfa): boolean[] {
  const before = rows.map((): number[] => []);
  for (const [state, row] of rows.entries()) {
    for (const next of new Set(row)) if (next !== none) before[next]?.push(state);
  }
  const useful = [...accepting];
  const waiting = [...accepting.keys()].filter((state) => accepting[state]);
  for (let state = waiting.pop(); state !== undefined; state = waiting.pop()) {
    for (const previous of before[state] ?? []) {
      if (useful[previous]) continue;
      useful[previous] = true;
      waiting.push(previous);
    }
  }
  return useful;
}

/** Useful states that do not accept yet, in breadth-first order. */
function numberStates(raw: RawDfa, useful: readonly boolean[]): { order: number[]; shortest: number } {
  const depths = new Map([[0, 0]]);
  const order: number[] = [];
  let shortest = Number.POSITIVE_INFINITY;
  // A Map iterates over entries added meanwhile, so it serves as the queue.
  for (const [state, depth] of depths) {
    if (raw.accepting[state]) {
      shortest = Math.min(shortest, depth);
      continue;
    }
    order.push(state);
    for (const next of raw.rows[state] ?? []) {
      if (useful[next] && !depths.has(next)) depths.set(next, depth + 1);
    }
  }
  return { order, shortest };
}
