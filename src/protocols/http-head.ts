/** The head of an HTTP/1.x request, byte by byte: one may have 64 KiB of headers, and few of them matter. */
import { asBuffer } from './cursor.js';
import { trimmed } from './lines.js';

const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const colon = 0x3a;

/** RFC 9110 section 5.6.2 */
const isTokenByte = Uint8Array.from({ length: 256 }, (_, byte) =>
  /[!#$%&'*+.^_`|~0-9A-Za-z-]/.test(String.fromCharCode(byte)) ? 1 : 0,
);

/** From the request line on. */
export function headFrom(bytes: Uint8Array): Buffer {
  const head = asBuffer(bytes);
  const start = head.findIndex((byte) => byte !== carriageReturn && byte !== lineFeed);
  return head.subarray(Math.max(start, 0));
}

const emptyLine = /\n\r?\n/;

/**
 * Asked again for every few bytes that a slow client sends: an expression is the quickest where lines are short, for
 * which `Buffer.includes` begins anew at each.
 */
export const headHasEnded = (head: Buffer): boolean => emptyLine.test(head.toString('latin1'));

export interface Headers<Name extends string> {
  /** Every line is a header, as all endpoints read it. */
  readonly isWellFormed: boolean;
  /** By name, in order, without the space around them. */
  readonly values: { readonly [Key in Name]?: readonly string[] };
}

/** Those of these names, from the lines behind the first that are whole, up to the empty one. */
export function readHeaders<Name extends string>(head: Buffer, names: readonly Name[]): Headers<Name> {
  const values: { [Key in Name]?: string[] } = {};
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
      values[name] ??= [];
      values[name].push(trimmed(head.toString('latin1', nameEnd + 1, end)));
    }
    start = next;
  }
  return { isWellFormed, values };
}

/** Where the next line begins; 0 when this one is not whole. */
const lineAfter = (head: Buffer, start: number): number => head.indexOf(lineFeed, start) + 1;

/** The colon behind a name; -1: there is none (RFC 9112 section 5: no space before it, no folded line). */
function separatorOf(head: Buffer, start: number, end: number): number {
  let at = start;
  while (at < end && isTokenByte[head[at] ?? 0] === 1) at += 1;
  return at > start && at < end && head[at] === colon ? at : -1;
}

/** No CR and no NUL, which some take for an end. */
function isPlain(head: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at += 1) {
    if (head[at] === carriageReturn || head[at] === 0) return false;
  }
  return true;
}

/** The one of the names that stands there, in any letter case. */
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
