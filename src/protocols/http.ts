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

/**
 * Method, target, host and upgrade. What an endpoint might read otherwise than we do is broken: a second host, a line
 * that is no header, a head without an end.
 */
export function httpFacts(bytes: Uint8Array): FactsAnswer {
  const head = headOf(bytes);
  const ended = hasEnded(head);
  if (!ended && bytes.length < headBytesMax) {
    const [line = ''] = linesOf(head);
    return { verdict: 'more', bytesNeeded: bytes.length + 1, facts: readRequestLine(line) };
  }
  const [requestLine = '', ...headers] = headLines(head);
  const facts: Facts = readRequestLine(requestLine);
  for (const line of headers) readHeader(line, facts);
  return { verdict: ended && headers.every(isHeader) && hostsOf(headers) <= 1 ? 'facts' : 'broken', facts };
}

/** RFC 9112 section 5: no space before the colon, no folded line, no lone CR. */
const isHeader = (line: string): boolean => /^[!#$%&'*+.^_`|~0-9A-Za-z-]+:[^\r\0]*$/.test(line);

const hostsOf = (headers: readonly string[]): number =>
  headers.filter((line) => headerOf(line).name === 'host').length;

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
