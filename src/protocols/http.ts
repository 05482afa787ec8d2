/** HTTP/1.x: a request line, told from RTSP, SIP and the like by its version, never by its method. */
import type { Facts, FactsAnswer } from '../model/facts.js';
import type { Protocol } from '../model/protocol.js';
import { asBuffer } from './cursor.js';
import { linesOf } from './lines.js';
import { hostOf, lineBytesMax, readRequestLine, requestLine } from './request.js';

/** Request line and headers that are read. */
export const headBytesMax = 16_384;

const lineFeed = 0x0a;
const carriageReturn = 0x0d;

export const http: Protocol = {
  id: 'http',
  transports: ['tcp'],
  rank: 80,
  signature: { patterns: [requestLine({ version: 'HTTP/1\\.[01]' })], maxBytes: lineBytesMax },
  factNames: ['method', 'path', 'host', 'upgrade'],
  words: 'a request line: METHOD TARGET HTTP/1.x, any method',
  source: 'RFC 9112 section 3',
  facts: httpFacts,
};

/** Method, target, host and upgrade; the first header of a name counts. */
export function httpFacts(bytes: Uint8Array): FactsAnswer {
  const head = headOf(bytes);
  const ended = hasEnded(head);
  if (!ended && bytes.length < headBytesMax) {
    const [line = ''] = linesOf(head);
    return { verdict: 'more', bytesNeeded: bytes.length + 1, facts: readRequestLine(line) };
  }
  const facts: Facts = {};
  for (const [i, line] of headLines(head).entries()) {
    if (i === 0) Object.assign(facts, readRequestLine(line));
    else readHeader(line, facts);
  }
  // Of a head that is too long only a host that has come already is certain to be the first.
  return { verdict: ended || facts.host !== undefined ? 'facts' : 'broken', facts };
}

/** What is read of a request, from its request line on. */
export function headOf(bytes: Uint8Array): Buffer {
  const head = asBuffer(bytes.subarray(0, headBytesMax));
  const start = head.findIndex((byte) => byte !== carriageReturn && byte !== lineFeed);
  return head.subarray(Math.max(start, 0));
}

/** Cheap, because it is asked again for every few bytes that a slow client sends. */
export const hasEnded = (head: Buffer): boolean => head.includes('\n\r\n') || head.includes('\n\n');

/** The request line and the headers, as far as they are there. */
export function headLines(head: Buffer): string[] {
  const lines = [...linesOf(head)];
  const end = lines.indexOf('');
  return end < 0 ? lines : lines.slice(0, end);
}

/** RFC 9112 section 3.2.2: the host of an absolute target stands, whatever the header says. */
function readHeader(line: string, facts: Facts): void {
  const { name, value } = headerOf(line);
  if (name === 'host') facts.host ??= hostOf(value);
  if (name === 'upgrade') facts.upgrade ??= value.toLowerCase();
}

/** The name in lower case, the value without the space around it. */
export function headerOf(line: string): { name: string; value: string } {
  const colon = line.indexOf(':');
  return { name: line.slice(0, Math.max(colon, 0)).toLowerCase(), value: line.slice(colon + 1).trim() };
}
