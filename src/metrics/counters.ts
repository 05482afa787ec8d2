/**
 * What one worker counts: rows by ids, made when they are first needed. Nothing here can fail: when the memory is full,
 * whoever is new is counted in a row that all such share.
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

/** The first cell of a row: a number that knows its scope. */
export type Row<S extends Scope> = number & { readonly [scopeOfRow]: S };

type RowOf<M extends CountedMetric> = Row<Extract<ScopeOf<M>, Scope>>;

type Entry<M extends MetricName> = (typeof catalog)[M];

type Histogram = { [M in CountedMetric]: Entry<M> extends { buckets: unknown } ? M : never }[CountedMetric];

type Labelled = { [M in CountedMetric]: Entry<M> extends { by: unknown } ? M : never }[CountedMetric];

type LabelOf<M extends Labelled> = Entry<M> extends { by: { values: readonly (infer V)[] } } ? V : never;

type Plain = Exclude<CountedMetric, Labelled | Histogram>;

/**
 * Rows that come with another one. What is accepted at a listener must end there, also when there is no room for
 * a protocol: so each listener has a row for those that find none, and each upstream one for such endpoints.
 */
const companions: Readonly<Partial<Record<Scope, readonly (readonly [Scope, number])[]>>> = {
  listener: [
    ['listener_protocol', NONE],
    ['listener_protocol', OTHER],
  ],
  upstream: [['upstream_endpoint', OTHER]],
};

/** Whose row there must be first. */
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
  /** Metrics that are counted for the worker as a whole. */
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

  /** The row of these ids, in the order of the scope's kinds. */
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
    const with_ = companions[scope] ?? [];
    const fits = !ownerShares && this.#memory.hasRoom(scope, ...with_.map(([each]) => each));
    if (!fits) return this.#share(scope, ownerShares ? OTHER : first, keyOf(first, second));
    for (const [each, of] of with_) this.#append(each, first, of);
    return this.#append(scope, first, second);
  }

  #append(scope: Scope, first: number, second: number): number {
    const row = this.#memory.append(scope, first, second);
    this.#rows[scope].set(keyOf(first, second), row);
    return row;
  }

  /** Room never comes back: whoever shares a row does so for good. */
  #share(scope: Scope, first: number, key: number): number {
    const row = owners[scope] === undefined ? this.row(scope, OTHER) : this.row(scope, first, OTHER);
    this.#rows[scope].set(key, row);
    return row;
  }
}
