/** HTTP/2 with prior knowledge: the client's connection preface. */
import type { Protocol } from '../model/protocol.js';

export const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';

export const http2: Protocol = {
  id: 'http2',
  transports: ['tcp'],
  rank: 10,
  signature: { startBytes: [Buffer.from(preface).toString('hex')] },
  words: 'the connection preface: PRI * HTTP/2.0',
  source: 'RFC 9113 section 3.4',
};
