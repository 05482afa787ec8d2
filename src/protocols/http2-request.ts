/**
 * The first request of an HTTP/2 connection; absent while the client waits for the server's SETTINGS. It routes the
 * whole connection, whatever later requests name.
 */
import type { Facts, FactsAnswer } from '../model/facts.js';
import { hostFacts } from './authority.js';
import { decodeHeaders } from './hpack.js';
import type { Header } from './hpack-tables.js';
import { readHeaderBlock } from './http2-frames.js';

/** Method, path and host; `:authority` or Host may name the host (RFC 9113 section 8.3.1). */
export function http2Facts(bytes: Uint8Array): FactsAnswer {
  const read = readHeaderBlock(bytes);
  if (read.verdict === 'more') return { ...read, facts: {} };
  const headers = read.verdict === 'block' ? decodeHeaders(read.block) : null;
  if (headers === null) return { verdict: 'broken', facts: {} };
  const named = (...names: string[]): string[] =>
    headers.filter(([name]) => names.includes(name.toLowerCase())).map(([, value]) => value);
  const [method] = named(':method');
  const [path, ...others] = named(':path');
  const facts: Facts = { ...(method !== undefined && { method }), ...(path !== undefined && { path }) };
  const answer = hostFacts(facts, named(':authority', 'host'));
  if (answer.verdict === 'broken' || others.length === 0) return answer;
  return { ...answer, doubtful: [...(answer.doubtful ?? []), 'path'] };
}

export const headerNamed = (headers: readonly Header[] | null, name: string): string | undefined =>
  headers?.find((header) => header[0] === name)?.[1];
