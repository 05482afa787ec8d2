/** HTTP/2 with prior knowledge: the client's connection preface. */
import type { Protocol } from '../model/protocol.js';
import { preface } from './http2-frames.js';
import { http2Facts } from './http2-request.js';

export const http2: Protocol = {
  id: 'http2',
  transports: ['tcp'],
  rank: 10,
  signature: { startBytes: [Buffer.from(preface).toString('hex')] },
  factNames: ['method', 'path', 'host'],
  words: 'the connection preface: PRI * HTTP/2.0',
  source: 'RFC 9113 section 3.4',
  facts: http2Facts,
};
