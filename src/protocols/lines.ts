/**
 * Pieces for the signatures of protocols that speak lines, and how a line is read. What a line means is the business
 * of its protocol.
 */

const lineFeed = 0x0a;
const carriageReturn = 0x0d;

/** CR LF, or the lone LF that servers accept too. */
export const lineEnd = '\\r?\\n';

/** What is left of a line: at least one byte. */
export const rest = '[^\\x00\\r\\n]+';

/** A word between spaces. */
export const word = '[\\x21-\\x7e\\x80-\\xff]+';

/** One of the words of a list that spaces separate. */
export const oneOf = (words: string): string => `(?:${words.trim().split(/\s+/).join('|')})`;

/** The same pattern for letters of either case; `pattern` has no escapes that are letters. */
export const anyCase = (pattern: string): string =>
  pattern.replaceAll(/[a-z]/gi, (letter) => `[${letter.toUpperCase()}${letter.toLowerCase()}]`);

/** Without spaces and tabs around it: what else JavaScript takes for white space is text. */
export function trimmed(text: string): string {
  let [start, end] = [0, text.length];
  while (start < end && isBlank(text[start])) start += 1;
  while (end > start && isBlank(text[end - 1])) end -= 1;
  return text.slice(start, end);
}

const isBlank = (character: string | undefined): boolean => character === ' ' || character === '\t';

/** The complete lines, without their ends. */
export function* linesOf(bytes: Buffer): Generator<string> {
  let start = 0;
  for (let end = bytes.indexOf(lineFeed); end >= 0; end = bytes.indexOf(lineFeed, start)) {
    yield bytes.toString('latin1', start, bytes[end - 1] === carriageReturn ? end - 1 : end);
    start = end + 1;
  }
}
