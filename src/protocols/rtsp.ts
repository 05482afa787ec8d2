/** RTSP: a request line with its version. */
import type { Protocol } from '../model/protocol.js';
import { lineBytesMax, requestFacts, requestLine } from './request.js';

export const rtsp: Protocol = {
  id: 'rtsp',
  transports: ['tcp'],
  rank: 80,
  // Targets may be `*`, or `/` from scanners.
  signature: {
    patterns: [requestLine({ scheme: 'rtsps?', version: 'RTSP/[12]\\.0' })],
    maxBytes: lineBytesMax,
  },
  factNames: ['method', 'path', 'host'],
  words: 'a request line: METHOD URI RTSP/1.0 or RTSP/2.0',
  source: 'RFC 2326 section 6.1, RFC 7826 section 7.1',
  facts: requestFacts,
};
