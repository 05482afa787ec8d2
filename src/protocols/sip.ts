/** SIP: a request line with its version, in a stream or a datagram. */
import type { FactsAnswer } from '../model/facts.js';
import type { Protocol } from '../model/protocol.js';
import { headFrom, headHasEnded, readHeaders } from './http-head.js';
import { trimmed, word } from './lines.js';
import { lineBytesMax, requestFacts, requestLine } from './request.js';
import { withFacts } from './with-facts.js';

const uri = `[A-Za-z][A-Za-z0-9+.\\-]*:${word}`;

export const sip: Protocol = {
  id: 'sip',
  transports: ['tcp', 'udp'],
  rank: 80,
  signature: { patterns: [requestLine({ target: uri, version: 'SIP/2\\.0' })], maxBytes: lineBytesMax },
  factNames: ['method', 'path', 'host', 'to'],
  words: 'a request line: METHOD sip:USER@HOST SIP/2.0',
  source: 'RFC 3261 section 7.1',
  facts: sipFacts,
};

/**
 * Facts of the request line, and the final recipient from To (RFC 3261 section 8.1.1.2): the request line may name a
 * proxy.
 */
export function sipFacts(bytes: Uint8Array, isFull = false): FactsAnswer {
  const answer = requestFacts(bytes);
  if (answer.verdict !== 'facts') return answer;
  const head = headFrom(bytes);
  // Headers are parsed once the head is complete: a slow client would cause a parse for every few bytes.
  if (!isFull && !headHasEnded(head)) return { ...answer, verdict: 'more', bytesNeeded: bytes.length + 1 };
  const { values } = readHeaders(head, ['to', 't']);
  const to = values.get('to')?.[0] ?? values.get('t')?.[0];
  return to === undefined ? answer : { ...answer, facts: withFacts(answer.facts, { to: addressOf(to) }) };
}

/** The URI without display name and parameters. */
function addressOf(to: string): string {
  const start = to.indexOf('<');
  const end = to.indexOf('>', start);
  if (start >= 0) return to.slice(start + 1, end < 0 ? undefined : end);
  return trimmed(to.split(';', 1)[0] ?? '');
}
