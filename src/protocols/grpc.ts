/**
 * gRPC: HTTP/2 whose first request has a content type of its own. Where the client waits for the server's SETTINGS
 * before it asks for anything, no more can be said than that it is HTTP/2: it is gRPC where that alone is accepted.
 */
import type { FactsAnswer } from '../model/facts.js';
import type { Confirmation, Protocol } from '../model/protocol.js';
import { decodeHeaders } from './hpack.js';
import type { Header } from './hpack-tables.js';
import { preface } from './http2.js';
import { readHeaderBlock } from './http2-frames.js';
import { mayAwaitServer, quietMs } from './http2-quiet.js';
import { hostOf } from './request.js';

/** gRPC-Web has a content type that begins alike, and is another protocol. */
const contentType = /^application\/grpc(?:[+;]|$)/;

export const grpc: Protocol = {
  id: 'grpc',
  transports: ['tcp'],
  rank: 9,
  refines: 'http2',
  signature: { startBytes: [Buffer.from(preface).toString('hex')] },
  confirm: confirmGrpc,
  factNames: ['path', 'host'],
  words:
    'the preface of HTTP/2, then a request with content-type application/grpc, or 200 ms of silence where `http2` is not accepted',
  source: 'gRPC over HTTP2, RFC 9113 section 6.2, RFC 7541',
  facts: grpcFacts,
};

export function confirmGrpc(bytes: Uint8Array): Confirmation {
  const read = readHeaderBlock(bytes);
  if (read.verdict === 'more' && mayAwaitServer(bytes)) return { ...read, quietMs };
  if (read.verdict !== 'block') return read;
  const type = headerNamed(decodeHeaders(read.block), 'content-type');
  return { verdict: type !== undefined && contentType.test(type) ? 'match' : 'no' };
}

/** The path names service and method. */
export function grpcFacts(bytes: Uint8Array): FactsAnswer {
  const read = readHeaderBlock(bytes);
  if (read.verdict === 'more') return { ...read, facts: {} };
  const headers = read.verdict === 'block' ? decodeHeaders(read.block) : null;
  const path = headerNamed(headers, ':path');
  if (path === undefined) return { verdict: 'broken', facts: {} };
  const authority = headerNamed(headers, ':authority');
  return { verdict: 'facts', facts: authority ? { path, host: hostOf(authority) } : { path } };
}

const headerNamed = (headers: readonly Header[] | null, name: string): string | undefined =>
  headers?.find((header) => header[0] === name)?.[1];
