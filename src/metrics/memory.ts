/**
 * The counters of one worker: 64-bit floats in shared memory, written by its thread alone, read by the primary without
 * messages. The layout is self-describing, so that the successor of a dead worker continues in the same rows:
 *
 *   cell 0     cells in use, as a 32-bit integer
 *   then rows  scope number, two ids, one cell per count (cells.ts)
 *
 * Reserved in full at creation, but pages are touched only when used. Rows are never moved or removed.
 */
import { NONE, OTHER } from '../model/ids.js';
import { type Scope, scopeNames } from './catalog.js';
import { rowCells } from './cells.js';

/** Enough for 1,000 listeners with 30 protocols each. */
const MEMORY_BYTES = 8 * 1024 * 1024;

/** Scope number and two ids, before the counts of a row. */
const HEADER_CELLS = 3;

/** Behind cell 0, the number of cells in use. */
const FIRST_ROW = 1;

/** Rows that always exist: the worker's own, and those shared by ids that do not fit. */
const firstRows: readonly (readonly [Scope, number, number])[] = [
  ['worker', NONE, NONE],
  ['protocol', OTHER, NONE],
  ['upstream', OTHER, NONE],
  ['upstream_endpoint', OTHER, OTHER],
  ['listener', OTHER, NONE],
  ['listener_protocol', OTHER, NONE],
  ['listener_protocol', OTHER, OTHER],
];

export function createCounters(bytes = MEMORY_BYTES): SharedArrayBuffer {
  const buffer = new SharedArrayBuffer(bytes);
  const memory = new RowMemory(buffer);
  memory.begin();
  for (const [scope, first, second] of firstRows) memory.append(scope, first, second);
  return buffer;
}

/** Capacity in rows if all were of this scope. */
export const rowsMax = (scope: Scope): number =>
  Math.floor(MEMORY_BYTES / Float64Array.BYTES_PER_ELEMENT / (HEADER_CELLS + rowCells[scope]));

/** Ids stay small: one per configured name. */
const ID_MAX = 2 ** 26;

/** Key of a row within its scope. */
export const keyOf = (first: number, second: number): number => first * ID_MAX + second;

export interface RowHead {
  readonly scope: Scope;
  readonly first: number;
  readonly second: number;
  /** Index of the row's first count. */
  readonly cell: number;
}

export class RowMemory {
  readonly cells: Float64Array;
  readonly #used: Int32Array;

  constructor(buffer: SharedArrayBuffer) {
    this.cells = new Float64Array(buffer);
    this.#used = new Int32Array(buffer, 0, 1);
  }

  begin(): void {
    Atomics.store(this.#used, 0, FIRST_ROW);
  }

  /** Whether one row of each of these scopes fits. */
  hasRoom(...scopes: readonly Scope[]): boolean {
    const cells = scopes.reduce((sum, scope) => sum + HEADER_CELLS + rowCells[scope], 0);
    return Atomics.load(this.#used, 0) + cells <= this.cells.length;
  }

  /** Appends a row, which must fit; returns its first cell. Readers see only complete rows. */
  append(scope: Scope, first: number, second: number): number {
    const at = Atomics.load(this.#used, 0);
    this.cells.set([scopeNames.indexOf(scope), first, second], at);
    const cell = at + HEADER_CELLS;
    Atomics.store(this.#used, 0, cell + rowCells[scope]);
    return cell;
  }

  /** Visits the rows from `position` (end of an earlier scan) on; returns the end of this scan. */
  scan(visit: (row: RowHead) => void, position = FIRST_ROW): number {
    const end = Atomics.load(this.#used, 0);
    let at = position;
    while (at < end) {
      const row = {
        scope: scopeNames[this.#integer(at)] as Scope,
        first: this.#integer(at + 1),
        second: this.#integer(at + 2),
        cell: at + HEADER_CELLS,
      };
      visit(row);
      at = row.cell + rowCells[row.scope];
    }
    return at;
  }

  #integer(cell: number): number {
    return this.cells[cell] as number;
  }
}
