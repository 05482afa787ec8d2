/** SIP: a request line with its version, in a stream or a datagram. */
import type { Protocol } from '../model/protocol.js';
import { word } from './lines.js';
import { lineBytesMax, requestFacts, requestLine } from './request.js';

const uri = `[A-Za-z][A-Za-z0-9+.\\-]*:${word}`;

export const sip: Protocol = {
  id: 'sip',
  transports: ['tcp', 'udp'],
  rank: 80,
  signature: { patterns: [requestLine({ target: uri, version: 'SIP/2\\.0' })], maxBytes: lineBytesMax },
  factNames: ['method', 'path', 'host'],
  words: 'a request line: METHOD sip:USER@HOST SIP/2.0',
  source: 'RFC 3261 section 7.1',
  facts: requestFacts,
};
