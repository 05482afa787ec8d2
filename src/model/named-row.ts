/** Totals of one row by name, as they pass between processes (src/metrics/named.ts). */
export interface NamedRow {
  readonly scope: string;
  /** One per label of the scope; null: no id, e.g. the protocol of sessions that are not identified. */
  readonly names: readonly (string | null)[];
  /** Name of the cell → total. */
  readonly cells: Readonly<Record<string, number>>;
}
