/**
 * The counters of one worker: 64-bit floats, written by its thread alone and read by the primary without a message.
 * The memory describes itself, so that a worker that takes a dead one's place goes on in the same rows:
 *
 *   cell 0    as a 32-bit integer: cells in use
 *   then rows: number of the scope, two ids, one cell a count (cells.ts)
 *
 * It is reserved whole and touched only where it is used. Rows are never moved or taken away.
 */
import { NONE, OTHER } from '../model/ids.js';
import { type Scope, scopeNames } from './catalog.js';
import { rowCells } from './cells.js';

/** A thousand listeners with thirty protocols each. */
const MEMORY_BYTES = 8 * 1024 * 1024;

const HEADER_CELLS = 3;

/** Behind the cell that says how many are in use. */
const FIRST_ROW = 1;

/** Rows that are there from the start: those of the worker, and those of all that find no room. */
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

/** How many rows there is room for, if all were of that scope. */
export const rowsMax = (scope: Scope): number =>
  Math.floor(MEMORY_BYTES / Float64Array.BYTES_PER_ELEMENT / (HEADER_CELLS + rowCells[scope]));

/** Ids are small: they count names that were configured. */
const ID_MAX = 2 ** 26;

/** What tells the rows of a scope apart. */
export const keyOf = (first: number, second: number): number => first * ID_MAX + second;

export interface RowHead {
  readonly scope: Scope;
  readonly first: number;
  readonly second: number;
  /** Its first count. */
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

  /** Whether rows of these scopes can be appended. */
  hasRoom(...scopes: readonly Scope[]): boolean {
    const cells = scopes.reduce((sum, scope) => sum + HEADER_CELLS + rowCells[scope], 0);
    return Atomics.load(this.#used, 0) + cells <= this.cells.length;
  }

  /** The first cell of a new row, for which there is room. Readers see the row when it is complete. */
  append(scope: Scope, first: number, second: number): number {
    const at = Atomics.load(this.#used, 0);
    this.cells.set([scopeNames.indexOf(scope), first, second], at);
    const cell = at + HEADER_CELLS;
    Atomics.store(this.#used, 0, cell + rowCells[scope]);
    return cell;
  }

  /** Rows from `position` on, which is where an earlier scan has ended; returns where this one has. */
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
