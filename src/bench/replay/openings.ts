/** Openings of a protocol and of a length, made here: those that were recorded are not known. Pure, but for TLS, which Node makes. */
import { clientHello, openings } from '../workloads/openings.js';
import { CUSTOM } from './recording.js';

/** A custom protocol of the replay's daemon begins so: for those of which no opening is made here. */
export const CUSTOM_START = 'c5a7f35e';

/** HTTP/2 preface and empty SETTINGS (RFC 9113 section 3.4). */
const http2 = Buffer.concat([
  Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  Buffer.from('000000040000000000', 'hex'),
]);

/** Another protocol whose opening a protocol has in common, but for what its facts say. */
const alike: Readonly<Record<string, string>> = { webdav: 'http', websocket: 'http', grpc: 'http2' };

const known: Readonly<Record<string, Buffer>> = {
  ...openings,
  http2,
  [CUSTOM]: Buffer.from(CUSTOM_START, 'hex'),
};

/** What is opened instead of `protocol`: itself, one alike, or the custom one. */
export function openedAs(protocol: string): string {
  const other = alike[protocol] ?? protocol;
  return other === 'tls' || other in known ? other : CUSTOM;
}

/** Protocols whose openings name a host. */
export const namesHost = (protocol: string): boolean => protocol === 'http' || protocol === 'tls';

/** Of at most `bytes`, or the shortest one there is. `host` is named by those that name any; others are filled up with what follows them. */
export async function openingOf(protocol: string, host: string, bytes: number): Promise<Buffer> {
  if (protocol === 'http') return paddedRequest(shortRequest(host), bytes);
  if (protocol === 'tls') return paddedHello(await helloFor(host), bytes);
  return known[protocol] ?? Buffer.alloc(0);
}

const shortRequest = (host: string): Buffer => Buffer.from(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);

const PAD_HEADER = 'X-Pad: \r\n';

function paddedRequest(request: Buffer, bytes: number): Buffer {
  const room = bytes - request.length - PAD_HEADER.length;
  if (room < 0) return request;
  const end = request.length - 2; // the empty line
  const pad = Buffer.from(PAD_HEADER.replace(' ', ` ${'x'.repeat(room)}`));
  return Buffer.concat([request.subarray(0, end), pad, request.subarray(end)]);
}

const hellos = new Map<string, Promise<Buffer>>();
function helloFor(host: string): Promise<Buffer> {
  const hello = hellos.get(host) ?? clientHello(host);
  hellos.set(host, hello);
  return hello;
}

/** Of a TLS record and of an extension: type and length. */
const RECORD_HEADER = 5;
const EXTENSION_HEADER = 4;
/** RFC 8446 section 5.1. */
const RECORD_MAX = RECORD_HEADER + 16_384;

/** With the extension `padding` (RFC 7685) at its end, in one record. */
function paddedHello(hello: Buffer, bytes: number): Buffer {
  const room = Math.min(bytes, RECORD_MAX) - hello.length - EXTENSION_HEADER;
  if (room < 0) return hello;
  const extension = Buffer.alloc(EXTENSION_HEADER + room);
  extension.writeUInt16BE(21, 0);
  extension.writeUInt16BE(room, 2);
  const padded = Buffer.concat([hello, extension]);
  padded.writeUInt16BE(padded.length - RECORD_HEADER, 3);
  padded.writeUIntBE(padded.length - RECORD_HEADER - 4, 6, 3);
  const at = extensionsAt(hello);
  padded.writeUInt16BE(padded.length - at - 2, at);
  return padded;
}

/** Offset of the length of all extensions (RFC 8446 section 4.1.2). */
function extensionsAt(hello: Buffer): number {
  let at = RECORD_HEADER + 4 + 2 + 32; // headers, version, random
  at += 1 + hello.readUInt8(at); // session id
  at += 2 + hello.readUInt16BE(at); // cipher suites
  return at + 1 + hello.readUInt8(at); // compression methods
}
