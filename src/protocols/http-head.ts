/** HTTP/1.x headers, scanned byte by byte: a head may have 64 KiB, and only few of its headers are needed. */
import { asBuffer } from './cursor.js';
import { trimmed } from './lines.js';

const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const colon = 0x3a;

/** RFC 9110 section 5.6.2 */
const isTokenByte = Uint8Array.from({ length: 256 }, (_, byte) =>
  /[!#$%&'*+.^_`|~0-9A-Za-z-]/.test(String.fromCharCode(byte)) ? 1 : 0,
);

/** The head from its request line on, without leading empty lines. */
export function headFrom(bytes: Uint8Array): Buffer {
  const head = asBuffer(bytes);
  const start = head.findIndex((byte) => byte !== carriageReturn && byte !== lineFeed);
  return head.subarray(Math.max(start, 0));
}

const emptyLine = /\n\r?\n/;

/**
 * Called again for every few bytes of a slow client. On short lines a regular expression is faster than
 * `Buffer.includes`, which restarts at each line.
 */
export const headHasEnded = (head: Buffer): boolean => emptyLine.test(head.toString('latin1'));

export interface Headers<Name extends string> {
  /** Every line is a header that all endpoints parse alike. */
  readonly isWellFormed: boolean;
  /** Values in order of appearance, trimmed. */
  readonly values: ReadonlyMap<Name, readonly string[]>;
}

/** Reads the headers in `names`, from all complete lines after the request line up to the empty one. */
export function readHeaders<Name extends string>(head: Buffer, names: readonly Name[]): Headers<Name> {
  const values = new Map<Name, string[]>();
  let isWellFormed = true;
  let start = head.indexOf(lineFeed) + 1;
  for (let next = lineAfter(head, start); next > start; next = lineAfter(head, start)) {
    const end = head[next - 2] === carriageReturn && next - 2 >= start ? next - 2 : next - 1;
    if (end === start) break;
    const separator = separatorOf(head, start, end);
    const nameEnd = separator < 0 ? head.indexOf(colon, start) : separator;
    isWellFormed &&= separator >= 0 && isPlain(head, separator, end);
    const name = nameEnd < 0 || nameEnd > end ? undefined : nameAt(head, start, nameEnd, names);
    if (name !== undefined) {
      const value = trimmed(head.toString('latin1', nameEnd + 1, end));
      const earlier = values.get(name);
      if (earlier === undefined) values.set(name, [value]);
      else earlier.push(value);
    }
    start = next;
  }
  return { isWellFormed, values };
}

/** Start of the next line; 0 when this one is incomplete. */
const lineAfter = (head: Buffer, start: number): number => head.indexOf(lineFeed, start) + 1;

/** Index of the colon; -1 when malformed (RFC 9112 section 5: no space before the colon, no line folding). */
function separatorOf(head: Buffer, start: number, end: number): number {
  let at = start;
  while (at < end && isTokenByte[head[at] ?? 0] === 1) at += 1;
  return at > start && at < end && head[at] === colon ? at : -1;
}

/** No CR and no NUL, which some endpoints take as a line end. */
function isPlain(head: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at += 1) {
    if (head[at] === carriageReturn || head[at] === 0) return false;
  }
  return true;
}

/** The name at `start`, case-insensitive. */
function nameAt<Name extends string>(
  head: Buffer,
  start: number,
  end: number,
  names: readonly Name[],
): Name | undefined {
  return names.find(
    (name) => name.length === end - start && head.toString('latin1', start, end).toLowerCase() === name,
  );
}
