/** Request lines, as HTTP, RTSP and SIP share them: told apart by their version, never by their method. */
import type { Facts, FactsAnswer } from '../model/facts.js';
import { hostFacts } from './authority.js';
import { asBuffer } from './cursor.js';
import { anyCase, lineEnd, linesOf, trimmed, word } from './lines.js';

/** The longest request line: what the most patient servers take. */
export const lineBytesMax = 32_768;

/** RFC 9110 section 5.6.2, and RFC 3261 section 25.1 but for one character. */
export const token = "[!#$%&'*+.^_`|~0-9A-Za-z\\-]+";

/** Empty lines before a request are to be ignored (RFC 9112 section 2.2, RFC 3261 section 7.5). */
const emptyLines = '(?:\\r\\n){0,2}';

/** RFC 9112 section 3: servers may take any white space between the parts, and behind them. */
const space = '[ \\t]';

/**
 * Old devices leave spaces in a path as they are: the version ends the line, and what is before it is for the endpoint
 * to judge. In a path alone: lines of text of other protocols are seen to be none at their third word.
 */
const pathOf = (scheme: string): string => `(?:${anyCase(scheme)}:/)?/[\\t\\x20-\\x7e\\x80-\\xff]*`;

interface RequestLine {
  readonly version: string;
  readonly method?: string;
  /** Of a target that may have spaces in its path. */
  readonly scheme?: string;
  readonly target?: string;
}

/** The pattern of a whole request line. Some clients leave out a target that is empty. */
export function requestLine({ version, method = token, scheme = 'https?', target }: RequestLine): string {
  const between = target ? `${target}${space}+` : `(?:(?:${word}|${pathOf(scheme)})${space}+)?`;
  return `^${emptyLines}${method}${space}+${between}${version}${space}*${lineEnd}`;
}

/** Method, target and host of the request line alone. */
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
  /** Whom the target names; undefined when it names nobody. */
  readonly authority: string | undefined;
}

/** A target may be left out. */
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

/** Of `scheme://user@host:port/path` and of `sip:user@host:port;parameters`; undefined when the target names no host. */
function authorityOf(target: string): string | undefined {
  const scheme = /^[a-z][a-z0-9+.-]*:(?:\/\/)?/i.exec(target)?.[0];
  if (scheme === undefined) return undefined;
  const named = target.slice(scheme.length);
  if (scheme.endsWith('//')) return withoutUser(beforeParts(named));
  // RFC 3261 section 19.1.3: the user may have parameters too.
  return /^sips?:$/i.test(scheme) ? beforeParts(named.slice(named.lastIndexOf('@') + 1)) : undefined;
}

const beforeParts = (text: string): string => text.split(/[/?#;]/, 1)[0] ?? '';

/** Where it is not plain which `@` ends the user, what is left is no authority. */
const withoutUser = (authority: string): string => authority.replace(/^[^@\\]*@/, '');
