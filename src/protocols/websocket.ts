/**
 * WebSocket: a GET with the upgrade headers. Headers are parsed, not searched: a target or body may contain the same
 * text.
 */
import type { Confirmation, Protocol } from '../model/protocol.js';
import { match, more, no } from './confirmation.js';
import { httpFacts } from './http.js';
import { headFrom, headHasEnded, readHeaders } from './http-head.js';
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

const keyHeader = 'sec-websocket-key';

/** Decided at the end of the head: any header may be the last. */
export function confirmWebSocket(bytes: Uint8Array): Confirmation {
  const head = headFrom(bytes);
  if (!headHasEnded(head)) return more(bytes.length + 1);
  const { values } = readHeaders(head, ['upgrade', 'connection', keyHeader]);
  const isAsked =
    values.get('upgrade')?.some((list) => lists(list, 'websocket')) &&
    values.get('connection')?.some((list) => lists(list, 'upgrade')) &&
    values.get(keyHeader)?.some((key) => key !== '');
  return isAsked ? match : no;
}

/** Whether the comma-separated list contains `wanted` (RFC 9110 section 5.6.1). */
const lists = (list: string, wanted: string): boolean =>
  list.split(',').some((item) => item.trim().toLowerCase() === wanted);
