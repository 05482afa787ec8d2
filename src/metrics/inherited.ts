/**
 * Totals of the process before this one (upgrade in place), as one more counter memory, which only the primary writes:
 * whoever sums up the workers' counters sees both processes as one.
 */
import { type IdKind, type IdsByName, NONE } from '../model/ids.js';
import type { NamedRow } from '../model/named-row.js';
import { reasons } from '../model/session.js';
import { catalog, entryOf, metricNames, type Scope, scopes } from './catalog.js';
import { cellOf, closedLabelsOf, rowCells } from './cells.js';
import { WorkerCounters } from './counters.js';
import { FIGURES } from './figures.js';
import { createCounters, RowMemory } from './memory.js';
import { cellNamed, isScope } from './named.js';

const ENDED = cellOf.anyport_sessions_total;
const ACTIVE = cellOf.anyport_sessions_active;
const RESET = ENDED + reasons.indexOf('reset');

export class InheritedTotals {
  /** As a worker's counters. */
  readonly buffer = createCounters();
  readonly #ids: IdsByName;
  readonly #counters = new WorkerCounters(this.buffer);
  readonly #memory = new RowMemory(this.buffer);
  /** Row by scope and names → its cells as last heard. */
  readonly #heard = new Map<string, Float64Array>();

  constructor(ids: IdsByName) {
    this.#ids = ids;
  }

  /** Counters of the process itself (figures.ts). */
  figures: NamedRow['cells'] = {};

  /** Takes rows with their totals of now; rows and cells of unknown names are left out. */
  take(rows: readonly NamedRow[]): void {
    for (const row of rows) {
      if (row.scope === FIGURES) this.figures = row.cells;
      else if (isScope(row.scope)) this.#take(row.scope, row);
    }
  }

  /** The process has ended: what it last had open counts as reset. Idempotent. */
  settle(): void {
    const rest = new Map<number, number>();
    const unknown = new Map<number, number>();
    const { cells } = this.#memory;
    this.#memory.scan(({ scope, first, second, cell }) => {
      if (scope === 'listener') {
        rest.set(first, (rest.get(first) ?? 0) + acceptedIn(cells, cell));
      } else if (scope === 'listener_protocol') {
        if (second === NONE) unknown.set(first, cell);
        add(cells, cell + RESET, cells[cell + ACTIVE] as number);
        cells[cell + ACTIVE] = 0;
        rest.set(first, (rest.get(first) ?? 0) - endedIn(cells, cell));
      }
      for (const gauge of gaugesOf[scope]) cells[cell + gauge] = 0;
    });
    // Sessions that were not identified yet have no count of their own: see `settle` in totals.ts.
    for (const [listener, cell] of unknown) add(cells, cell + RESET, rest.get(listener) ?? 0);
  }

  /** Adds what is new since the row was last heard of: rows that do not fit share one. */
  #take(scope: Scope, { names, cells }: NamedRow): void {
    const [first, second] = this.#idsOf(scopes[scope], names);
    const row = this.#counters.row(scope, first, second);
    const now = new Float64Array(rowCells[scope]);
    for (const [name, value] of Object.entries(cells)) {
      const cell = cellNamed(scope, name);
      if (cell !== undefined) add(now, cell, value);
    }
    const key = JSON.stringify([scope, names]);
    const before = this.#heard.get(key);
    this.#heard.set(key, now);
    for (const [index, value] of now.entries())
      add(this.#memory.cells, row + index, value - (before?.[index] ?? 0));
  }

  #idsOf(kinds: readonly IdKind[], names: NamedRow['names']): number[] {
    const ids: number[] = [];
    for (const [index, kind] of kinds.entries()) {
      const name = names[index] ?? null;
      ids.push(name === null ? NONE : this.#ids.idOf(kind, name, ids[0]));
    }
    return ids;
  }
}

const gaugesOf = Object.fromEntries(
  Object.keys(scopes).map((scope) => [
    scope,
    metricNames
      .filter((metric) => catalog[metric].scope === scope && entryOf(metric).kind === 'gauge')
      .flatMap((metric) =>
        closedLabelsOf(entryOf(metric)).map((_, index) => cellOf[metric as keyof typeof cellOf] + index),
      ),
  ]),
) as unknown as Readonly<Record<Scope, readonly number[]>>;

function add(cells: Float64Array, index: number, amount: number): void {
  cells[index] = (cells[index] as number) + amount;
}

/** Sessions of a listener: accepted, without those refused at once. */
function acceptedIn(cells: Float64Array, row: number): number {
  return catalog.anyport_refused_total.by.values.reduce(
    (left, _, index) => left - (cells[row + cellOf.anyport_refused_total + index] as number),
    cells[row + cellOf.anyport_accepted_total] as number,
  );
}

function endedIn(cells: Float64Array, row: number): number {
  return reasons.reduce((sum, _, index) => sum + (cells[row + ENDED + index] as number), 0);
}
