/**
 * Building blocks for signatures of line-based protocols, and a line reader. The meaning of a line is each protocol's
 * own.
 */

const lineFeed = 0x0a;
const carriageReturn = 0x0d;

/** CR LF, or a lone LF, which servers accept too. */
export const lineEnd = '\\r?\\n';

/** The rest of a line: at least one byte. */
export const rest = '[^\\x00\\r\\n]+';

/** A word without spaces. */
export const word = '[\\x21-\\x7e\\x80-\\xff]+';

/** Alternatives from a list separated by spaces. */
export const oneOf = (words: string): string => `(?:${words.trim().split(/\s+/).join('|')})`;

/** Case-insensitive copy of `pattern`, which must have no letter escapes (`\d`). */
export const anyCase = (pattern: string): string =>
  pattern.replaceAll(/[a-z]/gi, (letter) => `[${letter.toUpperCase()}${letter.toLowerCase()}]`);

/** Strips spaces and tabs only; String.prototype.trim would strip more. */
export function trimmed(text: string): string {
  let [start, end] = [0, text.length];
  while (start < end && isBlank(text[start])) start += 1;
  while (end > start && isBlank(text[end - 1])) end -= 1;
  return text.slice(start, end);
}

const isBlank = (character: string | undefined): boolean => character === ' ' || character === '\t';

/** The complete lines, without line ends. */
export function* linesOf(bytes: Buffer): Generator<string> {
  let start = 0;
  for (let end = bytes.indexOf(lineFeed); end >= 0; end = bytes.indexOf(lineFeed, start)) {
    yield bytes.toString('latin1', start, bytes[end - 1] === carriageReturn ? end - 1 : end);
    start = end + 1;
  }
}
