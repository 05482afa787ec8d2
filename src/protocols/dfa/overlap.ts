/**
 * Compares two signatures: openings that match both, and signatures shadowed by another. Breadth-first search on the
 * product of their DFAs; the caller excludes checks and confirmations, which DFAs can not express.
 */
import type { Automaton, Dfa } from '../../model/classifier.js';
import { accept, dead, start } from './flatten.js';

/** Upper bound on the product states visited before giving up. */
const pairsMax = 50_000;

/** The shortest opening that matches both; null: none exists, or none was found within the limit. */
export function sharedOpening(a: Automaton, b: Automaton): Uint8Array | null {
  const isOpen = (state: Product) => !state.a.includes(dead) && !state.b.includes(dead);
  const isBoth = (state: Product) => isAccepted(state.a) && isAccepted(state.b);
  if (!meets(a, b, isOpen)) return null;
  const { found } = search(a, b, { isOpen, isFound: isBoth });
  return found !== null && found.length <= Math.min(longest(a), longest(b)) ? found : null;
}

/** Whether `first` matches whenever `second` does, at the same byte or earlier: `first` shadows `second`. */
export function leavesNothing(first: Automaton, second: Automaton): boolean {
  if (longest(first) < longest(second)) return false;
  // `second` escapes where `first` is dead, or where `second` accepts before `first`.
  const isOpen = ({ a, b }: Product) => !isAccepted(a) && !b.includes(dead);
  const escapes = ({ a, b }: Product) =>
    !isAccepted(a) && !b.includes(dead) && (a.includes(dead) || isAccepted(b));
  const { found, complete } = search(first, second, { isOpen, isFound: escapes });
  return found === null && complete;
}

/** The shortest opening that matches. */
export function shortestOpening(automaton: Automaton): Uint8Array {
  const isOpen = ({ a }: Product) => !a.includes(dead);
  return (
    search(automaton, automaton, { isOpen, isFound: ({ a }) => isAccepted(a) }).found ?? new Uint8Array()
  );
}

/** One state per DFA of each automaton. */
interface Product {
  readonly a: readonly number[];
  readonly b: readonly number[];
}

interface Goal {
  /** Worth exploring. */
  readonly isOpen: (state: Product) => boolean;
  readonly isFound: (state: Product) => boolean;
}

interface Found {
  /** The shortest byte string to a state with `isFound`. */
  readonly found: Uint8Array | null;
  /** False: gave up at `pairsMax`. */
  readonly complete: boolean;
}

interface Reached {
  readonly state: Product;
  readonly before: Reached | null;
  readonly byte: number;
}

/** Breadth first: the first hit is the shortest. */
function search(a: Automaton, b: Automaton, { isOpen, isFound }: Goal): Found {
  const bytes = distinctBytes([...a.dfas, ...b.dfas]);
  const queue: Reached[] = [{ state: initial(a, b), before: null, byte: 0 }];
  const seen = new Set<string>();
  for (const reached of queue) {
    for (const byte of bytes) {
      const state = step(a, b, reached.state, byte);
      const next = { state, before: reached, byte };
      if (isFound(state)) return { found: pathTo(next), complete: true };
      const key = `${state.a} ${state.b}`;
      if (!isOpen(state) || seen.has(key)) continue;
      seen.add(key);
      if (queue.push(next) > pairsMax) return { found: null, complete: false };
    }
  }
  return { found: null, complete: true };
}

/** Cheap pre-check that settles most pairs: is there a common first byte? */
function meets(a: Automaton, b: Automaton, isOpen: Goal['isOpen']): boolean {
  const state = initial(a, b);
  for (let byte = 0; byte < 256; byte++) if (isOpen(step(a, b, state, byte))) return true;
  return false;
}

const initial = (a: Automaton, b: Automaton): Product => ({
  a: a.dfas.map(() => start),
  b: b.dfas.map(() => start),
});

function step(a: Automaton, b: Automaton, state: Product, byte: number): Product {
  return { a: stepAll(a.dfas, state.a, byte), b: stepAll(b.dfas, state.b, byte) };
}

function stepAll(dfas: readonly Dfa[], states: readonly number[], byte: number): number[] {
  return dfas.map(({ classes, classCount, transitions }, index) => {
    const row = (states[index] ?? dead) * classCount;
    return transitions[row + (classes[byte] ?? 0)] ?? dead;
  });
}

const isAccepted = (states: readonly number[]): boolean => states.every((state) => state === accept);

const longest = ({ dfas }: Automaton): number => Math.min(...dfas.map(({ maxBytes }) => maxBytes));

/** One representative byte per class of all DFAs together, printable where possible. */
function distinctBytes(dfas: readonly Dfa[]): number[] {
  const bytes = new Map<number, number>();
  for (let i = 0; i < 256; i++) {
    const byte = (i + 0x41) % 256;
    const kind = dfas.reduce((key, { classes }) => key * 256 + (classes[byte] ?? 0), 0);
    if (!bytes.has(kind)) bytes.set(kind, byte);
  }
  return [...bytes.values()];
}

function pathTo(last: Reached): Uint8Array {
  const bytes: number[] = [];
  for (let at: Reached = last; at.before; at = at.before) bytes.unshift(at.byte);
  return Uint8Array.from(bytes);
}
