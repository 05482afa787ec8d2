/** Judges the answer to one HTTP/1 request: its status, and a text in its body. */
import type { Outcome } from './check.js';
import { lineLimits } from './line.js';
import { speaksNo, unwell, well } from './outcomes.js';

export interface StatusRange {
  readonly from: number;
  readonly to: number;
}

export interface WantedAnswer {
  readonly status: readonly StatusRange[];
  /** Text that the body contains; null: the body is not looked at. */
  readonly body: string | null;
}

const STATUS_LINE = /^HTTP\/1\.[01] ([1-5]\d\d)(?: [^\r\n]*)?\r?\n/;
/** What every status line begins with. */
const OPENING = 'HTTP/1.';
const SWITCHING = 101;

/** A function of all bytes so far: as many as the line holds. */
export function judgeHttp(bytes: Buffer, isLast: boolean, wanted: WantedAnswer): Outcome | null {
  const text = bytes.toString('latin1');
  const opening = text.slice(0, OPENING.length);
  if (!OPENING.startsWith(opening)) return speaksNo('HTTP/1');
  const lineEnd = text.indexOf('\n');
  if (lineEnd < 0) return null;
  const status = Number(STATUS_LINE.exec(text)?.[1] ?? 0);
  if (status === 0) return speaksNo('HTTP/1');
  const bodyAt = endOfHead(text);
  if (status < 200 && status !== SWITCHING) {
    return bodyAt < 0 ? null : judgeHttp(bytes.subarray(bodyAt), isLast, wanted);
  }
  if (!wanted.status.some(({ from, to }) => status >= from && status <= to)) {
    return unwell(`answered with status ${status}`);
  }
  if (wanted.body === null) return well;
  if (bodyAt < 0) return null;
  return judgeBody(readBody(text.slice(0, bodyAt), text.slice(bodyAt)), isLast, bytes.length, wanted.body);
}

/** Offset behind the empty line; -1: not here yet. */
function endOfHead(text: string): number {
  const end = /\r?\n\r?\n/.exec(text);
  return end === null ? -1 : end.index + end[0].length;
}

interface Body {
  /** Latin-1. */
  readonly text: string;
  readonly isWhole: boolean;
}

function judgeBody(body: Body, isLast: boolean, bytes: number, wanted: string): Outcome | null {
  if (body.text.includes(Buffer.from(wanted).toString('latin1'))) return well;
  if (body.isWhole) return unwell('its answer does not contain the wanted text');
  if (!isLast) return null;
  return bytes < lineLimits.answerBytesMax
    ? unwell('its answer does not contain the wanted text')
    : unwell(`the first ${lineLimits.answerBytesMax} bytes of its answer do not contain the wanted text`);
}

function readBody(head: string, rest: string): Body {
  if (/^transfer-encoding:.*chunked[ \t]*\r?$/im.test(head)) return readChunks(rest);
  const length = /^content-length:[ \t]*(\d{1,15})[ \t]*\r?$/im.exec(head)?.[1];
  if (length === undefined) return { text: rest, isWhole: false };
  return { text: rest.slice(0, Number(length)), isWhole: rest.length >= Number(length) };
}

/** RFC 9112 section 7.1; what is no chunk ends the body. */
function readChunks(rest: string): Body {
  let text = '';
  for (let at = 0; ; ) {
    const header = /^([0-9a-f]{1,8})[^\r\n]*\r?\n/i.exec(rest.slice(at, at + 256));
    if (header === null) return { text, isWhole: false };
    const start = at + header[0].length;
    const length = Number.parseInt(header[1] ?? '0', 16);
    text += rest.slice(start, start + length);
    if (length === 0) return { text, isWhole: true };
    at = start + length + (rest[start + length] === '\r' ? 2 : 1);
  }
}
