/** HTTP/1.x: a request line. The version, not the method, tells it from RTSP and SIP. */
import type { FactsAnswer } from '../model/facts.js';
import type { Protocol } from '../model/protocol.js';
import { hostFacts } from './authority.js';
import { headFrom, headHasEnded, readHeaders } from './http-head.js';
import { linesOf } from './lines.js';
import { lineBytesMax, readRequestLine, requestLine } from './request.js';
import { withFacts } from './with-facts.js';

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
 * Method, target, host and upgrade. Ambiguity makes what headers say doubtful: a second host, or a line that is not a header.
 * What the request line says stands: routes go by it before the headers are there. When the head exceeds the read limit, the
 * host read so far counts.
 */
export function httpFacts(bytes: Uint8Array, isFull = false): FactsAnswer {
  const head = headFrom(bytes);
  const ended = headHasEnded(head);
  const [line = ''] = linesOf(head);
  const { facts, authority } = readRequestLine(line);
  if (!ended && !isFull) return { verdict: 'more', bytesNeeded: bytes.length + 1, facts };
  const { isWellFormed, values } = readHeaders(head, ['host', 'upgrade']);
  const hosts = values.get('host') ?? [];
  const upgrade = values.get('upgrade')?.[0];
  const known = upgrade === undefined ? facts : withFacts(facts, { upgrade: upgrade.toLowerCase() });
  // RFC 9112 section 3.2.2: an absolute target takes precedence over Host, which must name the same host.
  const answer = hostFacts(known, authority === undefined ? hosts : [authority, ...hosts]);
  if (!isWellFormed || hosts.length > 1)
    return { ...answer, verdict: 'facts', doubtful: ['host', 'upgrade'] };
  const isOpen = !ended && hosts.length === 0 && answer.verdict === 'facts';
  return isOpen ? { ...answer, doubtful: ['host'] } : answer;
}
