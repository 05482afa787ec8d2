/** Reads a request of SOCKS 4 or 4a. */
import { asBuffer } from '../protocols/cursor.js';
import { type Destination, destinationOf } from './destination.js';
import { more, type Reading } from './reading.js';
import { refuse } from './refusals.js';

export interface Socks4Request {
  readonly verdict: 'request';
  readonly destination: Destination;
}

const version = 4;
const connect = 1;
const headerBytes = 8;
/** User and name, without their final NUL. */
const textBytesMax = 255;

export function readSocks4(bytes: Uint8Array): Reading<Socks4Request> {
  const request = asBuffer(bytes);
  if (request.length < headerBytes) return more(headerBytes);
  if (request[0] !== version) return refuse('malformed', 'the request is not of SOCKS 4');
  if (request[1] !== connect) return refuse('command', 'of the commands of SOCKS 4 only CONNECT is served');
  const userEnd = textEnd(request, headerBytes);
  if (userEnd === null) return refuse('malformed', 'the user is too long');
  if (userEnd < 0) return more(request.length + 1);
  const address = request.subarray(4, headerBytes);
  // 0.0.0.x: a name follows.
  if (!isNamed(address)) return requestFor(address.join('.'), request, userEnd + 1);
  const hostEnd = textEnd(request, userEnd + 1);
  if (hostEnd === null) return refuse('malformed', 'the host name is too long');
  if (hostEnd < 0) return more(request.length + 1);
  return requestFor(request.toString('latin1', userEnd + 1, hostEnd), request, hostEnd + 1);
}

const isNamed = ([a, b, c, d]: Buffer): boolean => a === 0 && b === 0 && c === 0 && d !== 0;

/** Offset of its NUL; -1: not there yet; null: too long. */
function textEnd(request: Buffer, start: number): number | null {
  const end = request.indexOf(0, start);
  return (end < 0 ? request.length : end) - start > textBytesMax ? null : end;
}

function requestFor(host: string, request: Buffer, taken: number): Reading<Socks4Request> {
  const destination = destinationOf(host, request.readUInt16BE(2));
  if ('fault' in destination) return refuse('malformed', destination.fault);
  return { verdict: 'request', destination, taken };
}
