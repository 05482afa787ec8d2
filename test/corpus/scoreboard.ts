/** Failures per label, one line each, for the author of a protocol. */
import { columns } from '../../src/cli/columns.js';

export interface Wrong {
  readonly id: string;
  readonly label: string;
  /** How the bytes were segmented. */
  readonly feeding: string;
  /** The protocol identified, or the verdict when none was. */
  readonly said: string;
}

export function scoreboard(wrong: readonly Wrong[]): string {
  const labels = [...new Set(wrong.map(({ label }) => label))].sort();
  return columns([
    ['LABEL', 'FLIGHTS', 'SAID INSTEAD'],
    ...labels.map((label) =>
      row(
        label,
        wrong.filter((each) => each.label === label),
      ),
    ),
  ]);
}

function row(label: string, wrong: readonly Wrong[]): string[] {
  const flights = new Map<string, Set<string>>();
  for (const { id, said } of wrong) flights.set(said, (flights.get(said) ?? new Set()).add(id));
  const count = new Set(wrong.map(({ id }) => id)).size;
  const said = [...flights].map(([name, ids]) => `${name}: ${[...ids].join(' ')}`);
  return [label, String(count), said.join('; ')];
}
