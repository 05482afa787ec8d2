/** Reads what a client of SOCKS 5 says: methods, user and password, request (RFC 1928, RFC 1929). */
import assert from 'node:assert/strict';
import { ipv6Text } from '../base/network.js';
import { asBuffer } from '../protocols/cursor.js';
import { credentialsOf } from './basic.js';
import { type Destination, destinationOf } from './destination.js';
import { more, type Reading } from './reading.js';
import { refuse } from './refusals.js';
import type { Credentials } from './users/index.js';

/** RFC 1928 section 3. */
export const methods = { none: 0x00, password: 0x02, unacceptable: 0xff } as const;

export interface Greeting {
  readonly verdict: 'greeting';
  readonly methods: readonly number[];
}

export interface GivenCredentials {
  readonly verdict: 'credentials';
  /** Null: of no possible user. */
  readonly credentials: Credentials | null;
}

export interface Socks5Request {
  readonly verdict: 'request';
  readonly destination: Destination;
}

/** UDP ASSOCIATE: the client wants its datagrams relayed. */
export interface Socks5Association {
  readonly verdict: 'association';
  /** That they come from; 0: it does not say. */
  readonly port: number;
}

const version = 5;
const passwordVersion = 1;
const commands = { connect: 1, associate: 3 } as const;
const addressTypes = { ipv4: 1, name: 3, ipv6: 4 } as const;
const requestHeaderBytes = 4;
const portBytes = 2;

export function readSocks5Greeting(bytes: Uint8Array): Reading<Greeting> {
  const taken = 2 + (bytes[1] ?? 0);
  if (bytes.length < Math.max(taken, 3)) return more(Math.max(taken, 3));
  if (bytes[0] !== version || taken === 2) return refuse('malformed', 'the greeting is not of SOCKS 5');
  return { verdict: 'greeting', methods: [...bytes.subarray(2, taken)], taken };
}

/** RFC 1929 section 2. */
export function readSocks5Credentials(bytes: Uint8Array): Reading<GivenCredentials> {
  const message = asBuffer(bytes);
  const nameEnd = 2 + (message[1] ?? 0);
  if (message.length <= nameEnd) return more(nameEnd + 1);
  const taken = nameEnd + 1 + (message[nameEnd] ?? 0);
  if (message.length < taken) return more(taken);
  if (message[0] !== passwordVersion)
    return refuse('malformed', 'user and password are not as RFC 1929 says');
  const credentials = credentialsOf(message.subarray(2, nameEnd), message.subarray(nameEnd + 1, taken));
  return { verdict: 'credentials', credentials, taken };
}

/** RFC 1928 section 4. */
export function readSocks5Request(
  bytes: Uint8Array,
  servesUdp = false,
): Reading<Socks5Request | Socks5Association> {
  const request = asBuffer(bytes);
  if (request.length <= requestHeaderBytes) return more(requestHeaderBytes + 1);
  const [sent, command, reserved] = request;
  if (sent !== version || reserved !== 0) return refuse('malformed', 'the request is not of SOCKS 5');
  const associates = servesUdp && command === commands.associate;
  if (command !== commands.connect && !associates) {
    const served = servesUdp ? 'CONNECT and UDP ASSOCIATE are' : 'CONNECT is';
    return refuse('command', `of the commands of SOCKS 5 only ${served} served`);
  }
  const host = hostAt(request);
  if (host === null)
    return refuse('address_type', 'the address is neither IPv4 nor IPv6 nor a name (RFC 1928 section 5)');
  const taken = host.end + portBytes;
  if (request.length < taken) return more(taken);
  const port = request.readUInt16BE(host.end);
  // The address that a client gives is often one behind a NAT: that of its connection counts.
  if (associates) return { verdict: 'association', port, taken };
  return requestFor(host.text(), port, taken);
}

/** RFC 1928 section 7: the header of a datagram, which is whole (native/flow/socks_header.h). */
export function readSocks5Target(header: Uint8Array): Reading<Socks5Request> {
  const bytes = asBuffer(header);
  const host = hostAt(bytes);
  assert(host !== null, 'the header of a datagram has no address');
  return requestFor(host.text(), bytes.readUInt16BE(host.end), bytes.length);
}

function requestFor(host: string, port: number, taken: number): Reading<Socks5Request> {
  const destination = destinationOf(host, port);
  if ('fault' in destination) return refuse('malformed', destination.fault);
  return { verdict: 'request', destination, taken };
}

/** Null: another type of address. */
function hostAt(request: Buffer): { readonly end: number; readonly text: () => string } | null {
  const start = requestHeaderBytes;
  switch (request[3]) {
    case addressTypes.ipv4:
      return { end: start + 4, text: () => request.subarray(start, start + 4).join('.') };
    case addressTypes.ipv6:
      return { end: start + 16, text: () => ipv6At(request, start) };
    case addressTypes.name: {
      const end = start + 1 + (request[start] ?? 0);
      return { end, text: () => request.toString('latin1', start + 1, end) };
    }
    default:
      return null;
  }
}

const ipv6At = (request: Buffer, start: number): string =>
  ipv6Text(BigInt(`0x${request.toString('hex', start, start + 16)}`));
