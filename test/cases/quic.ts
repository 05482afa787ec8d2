import { type DatagramCase, hex } from './case.js';

interface Parts {
  readonly first?: string;
  readonly version?: string;
  readonly ids?: string;
  readonly token?: string;
  readonly length?: string;
  readonly bytes?: number;
}

/** A long header; what it protects is zeros. */
function initial({
  first = 'c3',
  version = '00000001',
  ids = '08 8394c8f03e515708 00',
  token = '00',
  length = '449e',
  bytes = 1200,
}: Parts = {}): Uint8Array {
  const datagram = new Uint8Array(bytes);
  datagram.set(hex(`${first} ${version} ${ids} ${token} ${length}`));
  return datagram;
}

export const datagrams: readonly DatagramCase[] = [
  { why: 'version 1', bytes: initial(), expect: 'quic' },
  {
    why: 'version 2 numbers its packets otherwise',
    bytes: initial({ first: 'd3', version: '6b3343cf' }),
    expect: 'quic',
  },
  { why: 'draft 29', bytes: initial({ version: 'ff00001d' }), expect: 'quic' },
  { why: 'a reserved version', bytes: initial({ version: '1a2a3a4a' }), expect: 'quic' },
  { why: 'with a token', bytes: initial({ token: '02 abcd', length: '449c' }), expect: 'quic' },
  { why: 'two packets in the datagram', bytes: initial({ length: '4064' }), expect: 'quic' },
  { why: 'too small a datagram', bytes: initial({ length: '4064', bytes: 1199 }), expect: null },
  { why: 'a handshake packet opens nothing', bytes: initial({ first: 'e3' }), expect: null },
  { why: 'version negotiation opens nothing', bytes: initial({ version: '00000000' }), expect: null },
  { why: 'no such version', bytes: initial({ version: '00000005' }), expect: null },
  { why: 'the id of a server is too short', bytes: initial({ ids: '07 8394c8f03e5157 00' }), expect: null },
  {
    why: 'the id of the client is too long',
    bytes: initial({ ids: '08 8394c8f03e515708 15' }),
    expect: null,
  },
  { why: 'a token larger than the datagram', bytes: initial({ token: '4b00' }), expect: null },
  { why: 'a packet larger than the datagram', bytes: initial({ length: '44ff' }), expect: null },
  { why: 'a packet too small to be protected', bytes: initial({ length: '13' }), expect: null },
];
