/**
 * Totals by name, for another process: its ids and cells may be others. A row has the names of its ids and its cells by
 * name; what the receiver does not know is left out, and what is not there counts as 0.
 */
import { type IdKind, type IdNames, NONE } from '../model/ids.js';
import type { NamedRow } from '../model/named-row.js';
import {
  type CountedMetric,
  catalog,
  entryOf,
  metricNames,
  type Scope,
  scopeNames,
  scopes,
} from './catalog.js';
import { bucketsOf, cellOf, closedLabelsOf, rowCells } from './cells.js';
import { keyOf } from './memory.js';
import type { TotalsReader, TotalsRow } from './totals.js';

const bucketPart = (bound: number): string => `{le=${bound}}`;

/** Names of the cells of each scope's rows, in order. */
const cellNames = Object.fromEntries(
  scopeNames.map((scope) => [scope, namesOfCells(scope)]),
) as unknown as Readonly<Record<Scope, readonly string[]>>;

const cellIndices = Object.fromEntries(
  scopeNames.map((scope) => [scope, new Map(cellNames[scope].map((name, index) => [name, index]))]),
) as unknown as Readonly<Record<Scope, ReadonlyMap<string, number>>>;

function namesOfCells(scope: Scope): string[] {
  const names: string[] = [];
  for (const metric of metricNames) {
    if (catalog[metric].scope !== scope) continue;
    for (const [index, part] of partsOf(metric as CountedMetric).entries())
      names[cellOf[metric as CountedMetric] + index] = `${metric}${part}`;
  }
  return names;
}

/** `{done}` for a label's value, `{tiny}{free}` for two, `{le=0.5}` for a bucket, `{sum}`; one empty part for a plain metric. */
function partsOf(metric: CountedMetric): string[] {
  const entry = entryOf(metric);
  const { buckets } = entry;
  if (buckets !== undefined) return [...buckets.map(bucketPart), bucketPart(Infinity), '{sum}'];
  return closedLabelsOf(entry).map((labels) => labels.map(({ value }) => `{${value}}`).join(''));
}

const BUCKET = /^(\w+)\{le=([\d.e+-]+|Infinity)\}$/;

/** The cell of this name; for a bucket with a bound of its own the next larger one, so that the count stays right. */
export function cellNamed(scope: Scope, name: string): number | undefined {
  const exact = cellIndices[scope].get(name);
  const [, metric = '', bound] = exact === undefined ? (BUCKET.exec(name) ?? []) : [];
  const buckets = bucketsOf[metric];
  if (buckets === undefined || catalog[metric as CountedMetric].scope !== scope) return exact;
  const larger = buckets.find((each) => each >= Number(bound)) ?? Infinity;
  return cellIndices[scope].get(`${metric}${bucketPart(larger)}`);
}

export const isScope = (text: string): text is Scope => Object.hasOwn(rowCells, text);

/** Gives the rows that have changed since they were last given, with their totals of now. */
export class NamedTotals {
  readonly #reader: TotalsReader;
  readonly #names: IdNames;
  readonly #given: Readonly<Record<Scope, Map<number, Float64Array>>> = Object.fromEntries(
    scopeNames.map((scope) => [scope, new Map()]),
  ) as unknown as Readonly<Record<Scope, Map<number, Float64Array>>>;

  constructor(reader: TotalsReader, names: IdNames) {
    this.#reader = reader;
    this.#names = names;
  }

  changes(): NamedRow[] {
    const totals = this.#reader.sums();
    return scopeNames.flatMap((scope) =>
      totals[scope].filter((row) => this.#take(scope, row)).map((row) => this.#named(scope, row)),
    );
  }

  #take(scope: Scope, { first, second, cells }: TotalsRow): boolean {
    const key = keyOf(first, second);
    const before = this.#given[scope].get(key);
    if (before === undefined ? !cells.some(Boolean) : before.every((each, index) => each === cells[index]))
      return false;
    this.#given[scope].set(key, cells.slice());
    return true;
  }

  #named(scope: Scope, row: TotalsRow): NamedRow {
    const kinds: readonly IdKind[] = scopes[scope];
    const ids = [row.first, row.second];
    return {
      scope,
      names: kinds.map((kind, index) => this.#nameOf(kind, ids[index] as number)),
      cells: Object.fromEntries(
        cellNames[scope]
          .map((name, index) => [name, row.cells[index] as number] as const)
          .filter(([, value]) => value !== 0),
      ),
    };
  }

  #nameOf(kind: IdKind, id: number): string | null {
    return id === NONE ? null : this.#names.nameOf(kind, id);
  }
}
