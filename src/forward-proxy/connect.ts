/**
 * Reads the head of a CONNECT request, HTTP/1.0 or 1.1 (RFC 9110 section 9.3.6, RFC 9112). It is all for the proxy:
 * nothing of it goes on, so credentials stay here.
 */
import { asBuffer } from '../protocols/cursor.js';
import { headFrom, readHeaders } from '../protocols/http-head.js';
import { type Destination, readAuthority } from './destination.js';
import { more, type Reading } from './reading.js';
import { type Refused, refuse } from './refusals.js';

export interface ConnectRequest {
  readonly verdict: 'request';
  readonly destination: Destination;
  /** Value of `Proxy-Authorization`. */
  readonly authorization: string | undefined;
  /** The client may send a further request on the connection if this one is refused. */
  readonly keepsAlive: boolean;
}

const REQUEST_LINE = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([^ ]+) HTTP\/1\.([01])$/;
/** What is shown of a method. */
const METHOD_CHARACTERS_MAX = 32;

const lineFeed = 0x0a;
const carriageReturn = 0x0d;

const headerNames = [
  'host',
  'proxy-authorization',
  'content-length',
  'transfer-encoding',
  'connection',
  'proxy-connection',
] as const;
type Values = ReturnType<typeof readHeaders<(typeof headerNames)[number]>>['values'];

/** A method other than CONNECT is refused as soon as its request line is there: its head and body may be long. */
export function readConnect(bytes: Uint8Array): Reading<ConnectRequest> {
  const head = headFrom(bytes);
  const lineEnd = head.indexOf(lineFeed);
  if (lineEnd < 0) return more(bytes.length + 1);
  const line = head.toString('latin1', 0, head[lineEnd - 1] === carriageReturn ? lineEnd - 1 : lineEnd);
  // So far there are only empty lines.
  if (line === '') return more(bytes.length + 1);
  const [, method = '', target = '', minor] = REQUEST_LINE.exec(line) ?? [];
  if (method !== '' && method !== 'CONNECT')
    return refuse('command', `${method.slice(0, METHOD_CHARACTERS_MAX)} is not served here, only CONNECT`);
  const end = headEnd(head, lineEnd);
  if (end < 0) return more(bytes.length + 1);
  if (method === '') return refuse('malformed', 'the request line is not CONNECT HOST:PORT HTTP/1.1');
  const { isWellFormed, values } = readHeaders(head, headerNames);
  const fault = isWellFormed ? faultOf(values, minor === '1') : 'a line of the head is not a header';
  if (fault !== null) return refuse('malformed', fault);
  return requestOf(target, values, minor === '1', bytes.length - head.length + end);
}

function requestOf(
  target: string,
  values: Values,
  isPersistent: boolean,
  taken: number,
): (ConnectRequest & { readonly taken: number }) | Refused {
  const destination = readAuthority(target);
  if ('fault' in destination) return refuse('malformed', destination.fault);
  const options = [...(values.get('connection') ?? []), ...(values.get('proxy-connection') ?? [])]
    .flatMap((value) => value.toLowerCase().split(','))
    .map((option) => option.trim());
  return {
    verdict: 'request',
    destination,
    authorization: values.get('proxy-authorization')?.[0],
    keepsAlive: !options.includes('close') && (isPersistent || options.includes('keep-alive')),
    taken,
  };
}

/** What others might read differently, or would take the first bytes of the tunnel for; null: nothing. */
function faultOf(values: Values, needsHost: boolean): string | null {
  const hosts = values.get('host')?.length ?? 0;
  if (hosts > 1) return 'the request has several Host headers';
  // RFC 9112 section 3.2. Which host it names does not count: what is dialled is the target.
  if (needsHost && hosts === 0) return 'the request has no Host header';
  if ((values.get('proxy-authorization')?.length ?? 0) > 1)
    return 'the request has several Proxy-Authorization headers';
  // RFC 9110 section 9.3.6: such a request has no content.
  const hasBody = values.get('content-length')?.some((length) => !/^0+$/.test(length)) ?? false;
  return hasBody || values.has('transfer-encoding') ? 'a CONNECT request has no body' : null;
}

/** Offset behind the empty line; -1: it is not there yet. `lineEnd`: of the request line. */
function headEnd(head: Buffer, lineEnd: number): number {
  for (let at = lineEnd; at >= 0; at = head.indexOf(lineFeed, at + 1)) {
    if (head[at + 1] === lineFeed) return at + 2;
    if (head[at + 1] === carriageReturn && head[at + 2] === lineFeed) return at + 3;
  }
  return -1;
}

/** Whether the answer must have no content (RFC 9110 section 9.3.2). */
export const asksForHead = (bytes: Uint8Array): boolean =>
  headFrom(asBuffer(bytes)).toString('latin1', 0, 5) === 'HEAD ';
