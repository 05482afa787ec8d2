/** WebSocket: a GET whose headers ask for it. They are read as headers: a body or a target may say the same words. */
import type { Confirmation, Protocol } from '../model/protocol.js';
import { hasEnded, headBytesMax, headerOf, headLines, headOf, httpFacts } from './http.js';
import { lineBytesMax, requestLine } from './request.js';

export const websocket: Protocol = {
  id: 'websocket',
  transports: ['tcp'],
  rank: 79,
  refines: 'http',
  signature: { patterns: [requestLine({ method: 'GET', version: 'HTTP/1\\.1' })], maxBytes: lineBytesMax },
  confirm: confirmWebSocket,
  factNames: ['method', 'path', 'host', 'upgrade'],
  words: 'GET with Upgrade: websocket, Connection: upgrade and Sec-WebSocket-Key',
  source: 'RFC 6455 section 4.1',
  facts: httpFacts,
};

/** Settled where the head ends: any of the headers may be the last. */
export function confirmWebSocket(bytes: Uint8Array): Confirmation {
  const head = headOf(bytes);
  if (hasEnded(head)) return { verdict: asksForWebSocket(headLines(head)) ? 'match' : 'no' };
  return bytes.length < headBytesMax ? { verdict: 'more', bytesNeeded: bytes.length + 1 } : { verdict: 'no' };
}

function asksForWebSocket([, ...headers]: readonly string[]): boolean {
  const asked = new Set<string>();
  for (const { name, value } of headers.map(headerOf)) {
    if (isAsked(name, value)) asked.add(name);
  }
  return asked.size === 3;
}

function isAsked(name: string, value: string): boolean {
  if (name === 'upgrade') return lists(value, 'websocket');
  if (name === 'connection') return lists(value, 'upgrade');
  return name === 'sec-websocket-key' && value !== '';
}

/** Is it in the comma-separated list? (RFC 9110 section 5.6.1) */
const lists = (list: string, wanted: string): boolean =>
  list.split(',').some((item) => item.trim().toLowerCase() === wanted);
