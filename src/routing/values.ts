/** Values of a condition: one, or a list of which any may hold. */

/** A value is never a list itself. */
export type OneOrMore<Value> = Value | readonly Value[];

/** As a list; empty for a condition that is not there. */
export function valuesOf<Value>(values: OneOrMore<Value> | undefined): readonly Value[] {
  if (values === undefined) return [];
  return Array.isArray(values) ? (values as readonly Value[]) : [values as Value];
}

/** The form in Config and Plan: one value as itself, several as a list without duplicates. */
export function compact<Value>(values: readonly Value[]): OneOrMore<Value> {
  const distinct = [...new Set(values)];
  return distinct.length === 1 ? (distinct[0] as Value) : distinct;
}
