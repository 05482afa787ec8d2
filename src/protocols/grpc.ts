/**
 * gRPC: HTTP/2 whose first request has a gRPC content type. A client that waits for the server's SETTINGS before its
 * first request is only known to speak HTTP/2; it is gRPC if the listener accepts gRPC and not HTTP/2.
 */
import type { Confirmation, Protocol } from '../model/protocol.js';
import { decodeHeaders } from './hpack.js';
import { preface, readHeaderBlock } from './http2-frames.js';
import { mayAwaitServer, quietMs } from './http2-quiet.js';
import { headerNamed, http2Facts } from './http2-request.js';

/** Excludes gRPC-Web (application/grpc-web), another protocol. */
const contentType = /^application\/grpc(?:[+;]|$)/;

export const grpc: Protocol = {
  id: 'grpc',
  transports: ['tcp'],
  rank: 9,
  refines: 'http2',
  signature: { startBytes: [Buffer.from(preface).toString('hex')] },
  confirm: confirmGrpc,
  factNames: ['method', 'path', 'host'],
  words:
    'the preface of HTTP/2, then a request with content-type application/grpc, or 200 ms of silence where `http2` is not accepted',
  source: 'gRPC over HTTP2, RFC 9113 section 6.2, RFC 7541',
  facts: http2Facts,
};

export function confirmGrpc(bytes: Uint8Array): Confirmation {
  const read = readHeaderBlock(bytes);
  if (read.verdict === 'more' && mayAwaitServer(bytes)) return { ...read, quietMs };
  if (read.verdict !== 'block') return read;
  const type = headerNamed(decodeHeaders(read.block), 'content-type');
  return { verdict: type !== undefined && contentType.test(type) ? 'match' : 'no' };
}
