/** An error as a few lines, for a report that is read from its end: message, difference, cause, place. */
import { stripVTControlCharacters } from 'node:util';

const here = `${process.cwd()}/`;
const limits = { messageLines: 12, diffLines: 24, frames: 5, causes: 3, lineLength: 300 };

/** `error`: as vitest serializes it, or an Error. */
export function linesOf(error, depth = 0) {
  const { name = 'Error', message, diff, cause } = error;
  const because = cause && depth < limits.causes ? linesOf(cause, depth + 1) : [];
  return [
    ...first(limits.messageLines, linesIn(`${name}: ${message ?? JSON.stringify(error)}`)),
    ...(diff ? changes(linesIn(diff)) : []),
    ...frames(error).slice(0, limits.frames),
    ...because.map((line, index) => (index === 0 ? `because of ${line}` : line)),
  ].map((line) => line.slice(0, limits.lineLength));
}

const linesIn = (text) =>
  stripVTControlCharacters(text)
    .split('\n')
    .filter((line) => line.trim() !== '');

function first(limit, lines) {
  if (lines.length <= limit) return lines;
  return [...lines.slice(0, limit), `… and ${lines.length - limit} lines more`];
}

/** Where there are many lines, without those that surround changed ones, and as much of either side. */
function changes(lines) {
  if (lines.length <= limits.diffLines) return lines;
  return ['-', '+'].flatMap((sign) =>
    first(
      limits.diffLines / 2,
      lines.filter((line) => line.startsWith(sign)),
    ),
  );
}

/** Those in this repository: the test, and what it calls. */
const frames = ({ stack = '' }) =>
  linesIn(stack)
    .filter((line) => /^ +at /.test(line) && line.includes(here) && !line.includes('/node_modules/'))
    .map((line) => line.replace('file://', '').replace(here, ''));
