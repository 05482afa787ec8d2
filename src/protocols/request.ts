/** Request lines, as HTTP, RTSP and SIP share them: told apart by their version, never by their method. */
import type { Facts, FactsAnswer } from '../model/facts.js';
import { asBuffer } from './cursor.js';
import { lineEnd, linesOf, word } from './lines.js';

/** The longest request line: what most servers take. */
export const lineBytesMax = 8192;

/** RFC 9110 section 5.6.2, and RFC 3261 section 25.1 but for one character. */
export const token = "[!#$%&'*+.^_`|~0-9A-Za-z\\-]+";

/** Empty lines before a request are to be ignored (RFC 9112 section 2.2, RFC 3261 section 7.5). */
const emptyLines = '(?:\\r\\n){0,2}';

interface RequestLine {
  readonly version: string;
  readonly method?: string;
  readonly target?: string;
}

/** The pattern of a whole request line. */
export const requestLine = ({ version, method = token, target = word }: RequestLine): string =>
  `^${emptyLines}${method} ${target} ${version}${lineEnd}`;

/** Method, target and host of the request line alone. */
export function requestFacts(bytes: Uint8Array): FactsAnswer {
  for (const line of linesOf(asBuffer(bytes.subarray(0, lineBytesMax)))) {
    if (line !== '') return { verdict: 'facts', facts: readRequestLine(line) };
  }
  if (bytes.length >= lineBytesMax) return { verdict: 'broken', facts: {} };
  return { verdict: 'more', bytesNeeded: bytes.length + 1, facts: {} };
}

/** Without a method and a target there is nothing to say. */
export function readRequestLine(line: string): Facts {
  const [method, path] = line.split(' ');
  if (!method || !path) return {};
  const authority = method === 'CONNECT' ? path : authorityOf(path);
  return authority ? { method, path, host: hostOf(authority) } : { method, path };
}

/** Of `scheme://user@host:port/path` and of `sip:user@host:port;parameters`; undefined when the target names no host. */
function authorityOf(target: string): string | undefined {
  const scheme = /^[a-z][a-z0-9+.-]*:(?:\/\/)?/i.exec(target)?.[0];
  if (scheme === undefined || !(scheme.endsWith('//') || /^sips?:$/i.test(scheme))) return undefined;
  const [authority = ''] = target.slice(scheme.length).split(/[/?#;]/);
  return authority.slice(authority.lastIndexOf('@') + 1);
}

/** Lower case, without the port; an IPv6 literal without its brackets. */
export function hostOf(authority: string): string {
  const end = authority.startsWith('[') ? authority.indexOf(']') : authority.lastIndexOf(':');
  const host = end < 0 ? authority : authority.slice(0, end);
  return (host.startsWith('[') ? host.slice(1) : host).toLowerCase();
}
