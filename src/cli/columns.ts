/** Plain text in columns, for terminals and `grep`. */
import { visible } from '../base/text.js';

const GAP = '  ';

/** Every column is as wide as its longest cell; the last one is not padded. */
export function columns(cells: readonly (readonly string[])[]): string {
  const rows = cells.map((row) => row.map(visible));
  const widths: number[] = [];
  for (const row of rows) {
    for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, cell.length);
  }
  const line = (row: readonly string[]) =>
    row.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join(GAP);
  return rows.map((row) => `${line(row).trimEnd()}\n`).join('');
}
