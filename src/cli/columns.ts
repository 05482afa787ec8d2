/** Plain text in columns, for terminals and `grep`. */
import { visible } from '../base/text.js';

const GAP = 2;

/** Of columns that have no room beside those before them. */
const INDENT = 4;

/** A column that gets less than this goes on a line of its own. */
const WRAPPED_MIN = 24;

interface Column {
  readonly cell: number;
  /** Offset in its line. */
  readonly at: number;
  readonly width: number;
}

/**
 * Every column is as wide as its longest cell. Where that is more than `width`, a row has several lines, and the last
 * column of each is broken at spaces.
 */
export function columns(cells: readonly (readonly string[])[], width: number = outputWidth()): string {
  const rows = cells.map((row) => row.map(visible));
  const widths: number[] = [];
  for (const row of rows) {
    for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, cell.length);
  }
  const [first = [], ...others] = layout(widths, width);
  const further = (row: readonly string[]) =>
    others.map((line) => lineText(row, line)).filter((text) => text !== '\n');
  return rows.flatMap((row) => [lineText(row, first), ...further(row)]).join('');
}

/** Programs get a row as one line. */
const outputWidth = (): number =>
  process.stdout.isTTY ? process.stdout.columns || Number.POSITIVE_INFINITY : Number.POSITIVE_INFINITY;

function layout(widths: readonly number[], width: number): readonly (readonly Column[])[] {
  const lines: Column[][] = [];
  let at = 0;
  for (const [cell, wanted] of widths.entries()) {
    const least = Math.min(wanted, WRAPPED_MIN);
    if (lines.length === 0) lines.push([]);
    else if (at + least > width) {
      lines.push([]);
      at = INDENT;
    }
    lines.at(-1)?.push({ cell, at, width: Math.max(least, Math.min(wanted, width - at)) });
    at += wanted + GAP;
  }
  return lines;
}

function lineText(row: readonly string[], line: readonly Column[]): string {
  const pieces = line.map(({ cell, width }) => broken(row[cell] ?? '', width));
  const height = Math.max(1, ...pieces.map(({ length }) => length));
  const texts = Array.from({ length: height }, (_, index) =>
    line.reduce((text, { at }, column) => {
      const piece = pieces[column]?.[index] ?? '';
      return piece === '' ? text : text.padEnd(at) + piece;
    }, ''),
  );
  return texts.map((text) => `${text.trimEnd()}\n`).join('');
}

/** A word that is longer stays whole: what is copied from a terminal must be right. */
function broken(text: string, width: number): string[] {
  const lines: string[] = [];
  let rest = text;
  while (rest.length > width) {
    const before = rest.lastIndexOf(' ', width);
    const end = before > 0 ? before : rest.indexOf(' ', width);
    if (end < 0) break;
    lines.push(rest.slice(0, end));
    rest = rest.slice(end + 1);
  }
  return [...lines, rest];
}
