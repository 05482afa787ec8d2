/** Sums the counters of all workers row by row, while the workers keep counting. */
import { type IdNames, NONE } from '../model/ids.js';
import { reasons } from '../model/session.js';
import { catalog, type Scope, scopeNames, scopes, tiers } from './catalog.js';
import { cellOf, rowCells } from './cells.js';
import { keyOf, type RowHead, type RowMemory } from './memory.js';

export interface TotalsRow {
  readonly first: number;
  readonly second: number;
  /** Label text made of the ids' names: `listener="front",protocol="http"`. */
  readonly labels: string;
  /** Sums over the workers, in the order of the row's cells. */
  readonly cells: Float64Array;
}

/** Valid until the next `read`, which overwrites the cells. */
export type Totals = Readonly<Record<Scope, readonly TotalsRow[]>>;

/** A row in the memory of one worker. */
interface Place {
  readonly cells: Float64Array;
  readonly cell: number;
}

interface SummedRow extends TotalsRow {
  readonly places: Place[];
}

export class TotalsReader {
  readonly #memories: readonly RowMemory[];
  readonly #names: IdNames;
  /** Per memory: position at which the next scan starts. */
  readonly #scanned: number[] = [];
  readonly #rows: Readonly<Record<Scope, Map<number, SummedRow>>> = byScope(() => new Map());

  constructor(memories: readonly RowMemory[], names: IdNames) {
    this.#memories = memories;
    this.#names = names;
  }

  /** Totals as they are shown. */
  read(): Totals {
    const totals = this.sums();
    settle(totals);
    settleBuffers(totals);
    return totals;
  }

  /** Sums as the workers count: those of several processes can be added. */
  sums(): Totals {
    // Rows appended after this scan are read by the next one; until then their sessions count as not identified.
    for (const [index, memory] of this.#memories.entries()) {
      const note = (head: RowHead) => this.#note(head, memory.cells);
      this.#scanned[index] = memory.scan(note, this.#scanned[index]);
    }
    for (const scope of scopeNames) for (const row of this.#rows[scope].values()) sumUp(row);
    return byScope((scope): readonly SummedRow[] => [...this.#rows[scope].values()]);
  }

  #note({ scope, first, second, cell }: RowHead, cells: Float64Array): void {
    const key = keyOf(first, second);
    const known = this.#rows[scope].get(key);
    if (known !== undefined) {
      known.places.push({ cells, cell });
      return;
    }
    const labels = this.#labelsOf(scope, [first, second]);
    const sums = new Float64Array(rowCells[scope]);
    this.#rows[scope].set(key, { first, second, labels, cells: sums, places: [{ cells, cell }] });
  }

  #labelsOf(scope: Scope, ids: readonly number[]): string {
    return scopes[scope]
      .map((kind, index) => `${kind}="${escapedLabel(this.#names.nameOf(kind, ids[index] as number))}"`)
      .join(',');
  }
}

function sumUp({ cells: sums, places }: SummedRow): void {
  sums.fill(0);
  for (const { cells, cell } of places) {
    for (let each = 0; each < sums.length; each += 1) {
      sums[each] = (sums[each] as number) + (cells[cell + each] as number);
    }
  }
}

/**
 * Per listener, the active sessions without a protocol are derived: accepted minus all others. Refused connections
 * count as ended sessions.
 */
function settle({ listener, listener_protocol }: Totals): void {
  const seen = new Map<number, number>();
  const unknown = new Map<number, TotalsRow>();
  for (const row of listener_protocol) {
    seen.set(row.first, (seen.get(row.first) ?? 0) + sessionsSeen(row));
    if (row.second === NONE) unknown.set(row.first, row);
  }
  for (const { first, cells } of listener) {
    const rest = unknown.get(first)?.cells;
    if (rest === undefined) continue;
    let left = (cells[cellOf.anyport_accepted_total] as number) - (seen.get(first) ?? 0);
    for (const [index, reason] of catalog.anyport_refused_total.by.values.entries()) {
      const refused = cells[cellOf.anyport_refused_total + index] as number;
      const ended = cellOf.anyport_sessions_total + reasons.indexOf(reason);
      rest[ended] = (rest[ended] as number) + refused;
      left -= refused;
    }
    rest[cellOf.anyport_sessions_active] = left;
  }
}

/**
 * A worker counts the buffers in use and all of them: the free ones are what is left, so the two states add up while it
 * keeps counting.
 */
function settleBuffers({ worker }: Totals): void {
  for (const { cells } of worker) {
    for (let tier = 0; tier < tiers.length; tier += 1) {
      const inUse = cellOf.anyport_buffers + tier * 2;
      cells[inUse + 1] = (cells[inUse + 1] as number) - (cells[inUse] as number);
    }
  }
}

/** Ended sessions plus active identified ones. */
function sessionsSeen({ cells }: Pick<TotalsRow, 'cells'>): number {
  let sessions = cells[cellOf.anyport_sessions_active] as number;
  for (let reason = 0; reason < reasons.length; reason += 1) {
    sessions += cells[cellOf.anyport_sessions_total + reason] as number;
  }
  return sessions;
}

export const escapedLabel = (name: string): string =>
  name.replace(/[\\"\n]/g, (character) => (character === '\n' ? '\\n' : `\\${character}`));

function byScope<T>(of: (scope: Scope) => T): Record<Scope, T> {
  return Object.fromEntries(scopeNames.map((scope) => [scope, of(scope)])) as Record<Scope, T>;
}
