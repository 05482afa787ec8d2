/** Request lines of HTTP, RTSP and SIP. The version, not the method, tells them apart. */
import type { Facts, FactsAnswer } from '../model/facts.js';
import { hostFacts } from './authority.js';
import { asBuffer } from './cursor.js';
import { anyCase, lineEnd, linesOf, trimmed, word } from './lines.js';

/** Upper bound on a request line, as in the most lenient servers. */
export const lineBytesMax = 32_768;

/** RFC 9110 section 5.6.2; RFC 3261 section 25.1 differs in one character. */
export const token = "[!#$%&'*+.^_`|~0-9A-Za-z\\-]+";

/** Leading empty lines are ignored (RFC 9112 section 2.2, RFC 3261 section 7.5). */
const emptyLines = '(?:\\r\\n){0,2}';

/** RFC 9112 section 3: lenient servers accept any whitespace between the parts and at the end. */
const space = '[ \\t]';

/**
 * Spaces in a path are accepted: old devices do not encode them; the version ends the line, and the endpoint judges
 * the path. Not in other targets: text lines of other protocols must fail at their third word.
 */
const pathOf = (scheme: string): string => `(?:${anyCase(scheme)}:/)?/[\\t\\x20-\\x7e\\x80-\\xff]*`;

interface RequestLine {
  readonly version: string;
  readonly method?: string;
  /** URI scheme of targets whose path may contain spaces. */
  readonly scheme?: string;
  readonly target?: string;
}

/** The pattern of a whole request line. An empty target may be missing, as from some clients. */
export function requestLine({ version, method = token, scheme = 'https?', target }: RequestLine): string {
  const between = target ? `${target}${space}+` : `(?:(?:${word}|${pathOf(scheme)})${space}+)?`;
  return `^${emptyLines}${method}${space}+${between}${version}${space}*${lineEnd}`;
}

/** Method, target and host, from the request line alone. */
export function requestFacts(bytes: Uint8Array): FactsAnswer {
  for (const line of linesOf(asBuffer(bytes.subarray(0, lineBytesMax)))) {
    if (line !== '') return lineFacts(readRequestLine(line));
  }
  if (bytes.length >= lineBytesMax) return { verdict: 'broken', facts: {} };
  return { verdict: 'more', bytesNeeded: bytes.length + 1, facts: {} };
}

const lineFacts = ({ facts, authority }: Request): FactsAnswer =>
  hostFacts(facts, authority === undefined ? [] : [authority]);

export interface Request {
  readonly facts: Facts;
  /** The authority in the target; undefined when it has none. */
  readonly authority: string | undefined;
}

/** The target may be missing. */
export function readRequestLine(line: string): Request {
  const start = line.search(/[ \t]/);
  if (start < 0) return { facts: {}, authority: undefined };
  const method = line.slice(0, start);
  const rest = trimmed(line.slice(start));
  const end = Math.max(rest.lastIndexOf(' '), rest.lastIndexOf('\t'));
  if (end < 0) return { facts: { method }, authority: undefined };
  const path = trimmed(rest.slice(0, end));
  return { facts: { method, path }, authority: method === 'CONNECT' ? path : authorityOf(path) };
}

/** From `scheme://user@host:port/path` or `sip:user@host:port;parameters`; undefined when the target names no host. */
function authorityOf(target: string): string | undefined {
  const scheme = /^[a-z][a-z0-9+.-]*:(?:\/\/)?/i.exec(target)?.[0];
  if (scheme === undefined) return undefined;
  const named = target.slice(scheme.length);
  if (scheme.endsWith('//')) return withoutUser(beforeParts(named));
  // RFC 3261 section 19.1.3: the user part may have parameters too.
  return /^sips?:$/i.test(scheme) ? beforeParts(named.slice(named.lastIndexOf('@') + 1)) : undefined;
}

const beforeParts = (text: string): string => text.split(/[/?#;]/, 1)[0] ?? '';

/** With several `@` the end of the user is ambiguous: the result is then not a valid authority. */
const withoutUser = (authority: string): string => authority.replace(/^[^@\\]*@/, '');
