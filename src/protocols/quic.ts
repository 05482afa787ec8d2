/** QUIC: the Initial packet that opens a connection. */
import type { Facts, FactsAnswer } from '../model/facts.js';
import type { Confirmation, Protocol } from '../model/protocol.js';
import { clientHello, helloBytesMax, helloHeaderBytes, readClientHello } from './client-hello.js';
import { asBuffer, Cursor } from './cursor.js';
import { assembled, type Fragment } from './fragments.js';
import { googleFacts, googlePatterns, helloFacts, isGoogle } from './quic-google.js';
import {
  clientKeys,
  type InitialHeader,
  openInitial,
  type QuicVersion,
  quicVersions,
  readInitialHeader,
  variable,
} from './quic-initial.js';

/** Upper bound on the Initial packets of a hello. */
const packetsMax = 16;

const padding = 0;
const ping = 1;

/** RFC 9000 section 15: reserved, to force version negotiation. */
const reservedVersion =
  '[\\x0a\\x1a\\x2a\\x3a\\x4a\\x5a\\x6a\\x7a\\x8a\\x9a\\xaa\\xba\\xca\\xda\\xea\\xfa]{4}';
/** Google's last versions and Facebook's: same packet format. */
const vendorVersion = '(?:[QT]05[01]|\\xfa\\xce\\xb0[\\x00-\\x1f])';
/** RFC 9000 section 7.2: the client's initial destination id has at least 8 bytes. */
const idBytes = '[\\x08-\\x14]';

export const quic: Protocol = {
  id: 'quic',
  transports: ['udp'],
  spansDatagrams: true,
  rank: 10,
  signature: {
    // Long header, fixed bit, type Initial (differs in version 2); the low bits are header-protected.
    patterns: [
      `^[\\xc0-\\xcf](?:\\x00{3}\\x01|\\xff\\x00\\x00[\\x17-\\x22])${idBytes}`,
      `^[\\xd0-\\xdf]\\x6b\\x33\\x43\\xcf${idBytes}`,
      `^[\\xc0-\\xcf]${vendorVersion}${idBytes}`,
      `^[\\xc0-\\xff]${reservedVersion}${idBytes}`,
      ...googlePatterns,
    ],
    checks: ['total >= 1200'],
  },
  confirm: confirmQuic,
  factNames: ['version', 'sni', 'alpn', 'versions', 'ech'],
  words:
    "a long header Initial packet of version 1, 2, a late draft, a reserved one or a vendor's (Q039 to T051, mvfst), in at least 1200 bytes",
  source: 'RFC 9000 sections 14.1 and 17.2.2, RFC 9369, RFC 8999',
  facts: quicFacts,
};

function confirmQuic(bytes: Uint8Array): Confirmation {
  if (isGoogle(bytes)) return { verdict: 'match' };
  const header = readInitialHeader(asBuffer(bytes), 0);
  return { verdict: header !== null && header.end <= bytes.length ? 'match' : 'no' };
}

/** Facts of the hello in the Initial packets present. */
export function quicFacts(bytes: Uint8Array): FactsAnswer {
  if (bytes.length > 0 && isGoogle(bytes)) return googleFacts(bytes);
  const datagrams = asBuffer(bytes);
  const header = readInitialHeader(datagrams, 0);
  if (header === null) return { verdict: 'more', bytesNeeded: bytes.length + 1, facts: {} };
  const version = quicVersions.get(header.version);
  // A reserved version: the server answers with version negotiation, and the client starts again.
  if (version === undefined) return { verdict: 'facts', facts: {} };
  const facts: Facts = { version: version.name };
  const hello = readPackets(datagrams, header, version);
  if (hello === 'broken') return { verdict: 'broken', facts };
  if (hello === 'more') return { verdict: 'more', bytesNeeded: bytes.length + 1, facts };
  return { verdict: 'facts', facts: { ...facts, ...hello } };
}

type Hello = Facts | 'more' | 'broken';

/** A hello may span several packets, in any order (RFC 9000 section 7.5). */
function readPackets(bytes: Buffer, first: InitialHeader, version: QuicVersion): Hello {
  const keys = clientKeys(version, first.destination);
  const frames: Fragment[] = [];
  let header: InitialHeader | null = first;
  for (let packets = 0; packets < packetsMax; packets++) {
    if (header === null || header.end > bytes.length) return 'more';
    const payload = openInitial(bytes, header, keys);
    if (payload === null || !readFrames(payload, version, frames)) return 'broken';
    const stream = assembled(frames);
    if (stream === null) return 'broken';
    const hello = version.hello === 'tls' ? readHello(stream) : helloFacts(stream);
    if (hello !== 'more') return hello;
    header = nextInitial(bytes, header.end, first);
  }
  return 'broken';
}

/** Of the same connection: behind it in a datagram may be 0-RTT packets and padding, and there are other datagrams. */
function nextInitial(bytes: Buffer, start: number, first: InitialHeader): InitialHeader | null {
  const identity = bytes.subarray(first.start + 1, first.start + 6 + first.destination.length);
  for (let at = bytes.indexOf(identity, start + 1); at > 0; at = bytes.indexOf(identity, at + 1)) {
    const header = readInitialHeader(bytes, at - 1);
    if (header !== null && header.first >> 4 === first.first >> 4) return header;
  }
  return null;
}

/** RFC 9000 section 19: a first packet has only PADDING, PING and CRYPTO. */
function readFrames(payload: Buffer, { cryptoFrame }: QuicVersion, frames: Fragment[]): boolean {
  const cursor = new Cursor(payload);
  while (cursor.left > 0) {
    const type = cursor.u8();
    if (type === padding || type === ping) continue;
    if (type !== cryptoFrame) return false;
    const offset = variable(cursor);
    const length = variable(cursor);
    const start = payload.length - cursor.left;
    if (!cursor.skip(length)) return false;
    frames.push({ offset, data: payload.subarray(start, start + length) });
  }
  return true;
}

function readHello(stream: Buffer): Hello {
  if (stream.length < helloHeaderBytes) return 'more';
  const length = stream.readUIntBE(1, 3);
  if (stream[0] !== clientHello || length > helloBytesMax) return 'broken';
  if (stream.length < helloHeaderBytes + length) return 'more';
  const cursor = new Cursor(stream, helloHeaderBytes, helloHeaderBytes + length);
  return readClientHello(cursor, { cookie: false }) ?? 'broken';
}
