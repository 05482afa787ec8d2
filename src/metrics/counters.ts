/**
 * The counters of one worker: rows by ids, created when first needed. Counting never fails: when the memory is full,
 * further ids share the `(other)` row.
 */
import { NONE, OTHER } from '../model/ids.js';
import {
  type CountedMetric,
  type catalog,
  entryOf,
  type MetricName,
  metricNames,
  type Scope,
  type ScopeOf,
  scopeNames,
} from './catalog.js';
import { cellOf } from './cells.js';
import { keyOf, RowMemory } from './memory.js';

declare const scopeOfRow: unique symbol;

/** Index of a row's first cell, typed by scope. */
export type Row<S extends Scope> = number & { readonly [scopeOfRow]: S };

type RowOf<M extends CountedMetric> = Row<Extract<ScopeOf<M>, Scope>>;

type Entry<M extends MetricName> = (typeof catalog)[M];

type Histogram = { [M in CountedMetric]: Entry<M> extends { buckets: unknown } ? M : never }[CountedMetric];

type Labelled = { [M in CountedMetric]: Entry<M> extends { by: unknown } ? M : never }[CountedMetric];

type LabelOf<M extends Labelled> = Entry<M> extends { by: { values: readonly (infer V)[] } } ? V : never;

type Plain = Exclude<CountedMetric, Labelled | Histogram>;

/**
 * Rows created together with another. Sessions accepted at a listener must be counted as ended at the same listener
 * even when no row is left for their protocol. Therefore each listener has an `(other)` protocol row and each upstream
 * an `(other)` endpoint row.
 */
const companions: Readonly<Partial<Record<Scope, readonly (readonly [Scope, number])[]>>> = {
  listener: [
    ['listener_protocol', NONE],
    ['listener_protocol', OTHER],
  ],
  upstream: [['upstream_endpoint', OTHER]],
};

/** Scope of the row that must exist first. */
const owners: Readonly<Partial<Record<Scope, Scope>>> = {
  listener_protocol: 'listener',
  upstream_endpoint: 'upstream',
};

const labelIndices: Readonly<Record<string, ReadonlyMap<string, number>>> = Object.fromEntries(
  metricNames.map((metric) => [
    metric,
    new Map(entryOf(metric).by?.values.map((value, index) => [value, index])),
  ]),
);

export class WorkerCounters {
  /** Row of the metrics without ids. */
  readonly worker: Row<'worker'>;
  readonly #memory: RowMemory;
  readonly #cells: Float64Array;
  readonly #rows = Object.fromEntries(scopeNames.map((scope) => [scope, new Map()])) as Readonly<
    Record<Scope, Map<number, number>>
  >;

  constructor(buffer: SharedArrayBuffer) {
    this.#memory = new RowMemory(buffer);
    this.#cells = this.#memory.cells;
    this.#memory.scan(({ scope, first, second, cell }) => this.#rows[scope].set(keyOf(first, second), cell));
    this.worker = this.row('worker');
  }

  /** The row of these ids, given in the order of the scope's kinds. */
  row<S extends Scope>(scope: S, first = NONE, second = NONE): Row<S> {
    const row = this.#rows[scope].get(keyOf(first, second)) ?? this.#make(scope, first, second);
    return row as Row<S>;
  }

  add<M extends Plain>(metric: M, row: RowOf<M>, amount = 1): void {
    this.#add(row + cellOf[metric], amount);
  }

  addBy<M extends Labelled>(metric: M, label: LabelOf<M>, row: RowOf<M>, amount = 1): void {
    this.#add(row + cellOf[metric] + (labelIndices[metric]?.get(label as string) as number), amount);
  }

  #add(cell: number, amount: number): void {
    this.#cells[cell] = (this.#cells[cell] as number) + amount;
  }

  #make(scope: Scope, first: number, second: number): number {
    const owner = owners[scope];
    const ownerShares = owner !== undefined && this.row(owner, first) === this.row(owner, OTHER);
    const others = companions[scope] ?? [];
    const fits = !ownerShares && this.#memory.hasRoom(scope, ...others.map(([each]) => each));
    if (!fits) return this.#share(scope, ownerShares ? OTHER : first, keyOf(first, second));
    for (const [each, of] of others) this.#append(each, first, of);
    return this.#append(scope, first, second);
  }

  #append(scope: Scope, first: number, second: number): number {
    const row = this.#memory.append(scope, first, second);
    this.#rows[scope].set(keyOf(first, second), row);
    return row;
  }

  /** Memory is never freed: ids that share the `(other)` row keep sharing it. */
  #share(scope: Scope, first: number, key: number): number {
    const row = owners[scope] === undefined ? this.row(scope, OTHER) : this.row(scope, first, OTHER);
    this.#rows[scope].set(key, row);
    return row;
  }
}
