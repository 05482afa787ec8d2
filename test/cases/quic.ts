import { type DatagramCase, hex, text } from './case.js';

interface Parts {
  readonly first?: string;
  readonly version?: string;
  readonly ids?: string;
  readonly token?: string;
  readonly length?: string;
  readonly bytes?: number;
}

/** A long header packet; its protected part is zeros. */
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

/** A tag, and its value for the table of a CHLO. */
type Tag = readonly [string, string];

/** Google's CHLO: tags with end offsets, then values. */
export function chlo(tags: readonly Tag[]): Uint8Array {
  const head = Buffer.alloc(8 + 8 * tags.length);
  head.write('CHLO');
  head.writeUInt16LE(tags.length, 4);
  let end = 0;
  tags.forEach(([tag, value], index) => {
    end += value.length;
    head.write(tag.padEnd(4, '\0'), 8 + 8 * index, 'latin1');
    head.writeUInt32LE(end, 12 + 8 * index);
  });
  return Buffer.concat([head, ...tags.map(([, value]) => text(value))]);
}

/** First packet of unencrypted Google QUIC, built from its specification: no client is available any more. */
export function googleInitial(
  head: string,
  hello = chlo([
    ['PAD', '-'.repeat(1000)],
    ['SNI', 'WWW.Example.com'],
  ]),
) {
  const datagram = new Uint8Array(1350);
  const stream = Buffer.concat([hex('a0 01'), Buffer.of(hello.length >> 8, hello.length & 0xff), hello]);
  datagram.set(Buffer.concat([hex(head), new Uint8Array(12), stream]));
  return datagram;
}

const id = '0123456789abcdef';

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
  { why: 'Google, Q043', bytes: googleInitial(`09 ${id} 51303433 01`), expect: 'quic' },
  { why: 'Google, Q039', bytes: googleInitial(`0d ${id} 51303339 01`), expect: 'quic' },
  { why: 'Google, Q046', bytes: googleInitial(`c3 51303436 50 ${id} 00000001`), expect: 'quic' },
  { why: 'Google, Q044', bytes: googleInitial(`ff 51303434 50 ${id} 00000001`), expect: 'quic' },
  { why: 'Google, Q048', bytes: googleInitial(`c3 51303438 50 ${id} 00000001`), expect: 'quic' },
  { why: 'Google, Q050', bytes: initial({ version: '51303530' }), expect: 'quic' },
  { why: 'Google, T051', bytes: initial({ version: '54303531' }), expect: 'quic' },
  { why: 'Facebook', bytes: initial({ version: 'faceb002' }), expect: 'quic' },
  {
    why: 'Facebook, of which the salt is not known',
    bytes: initial({ version: 'faceb010' }),
    expect: 'quic',
  },
  {
    why: 'Google, in too small a datagram',
    bytes: googleInitial(`09 ${id} 51303433 01`).subarray(0, 1100),
    expect: null,
  },
  { why: 'Google, without a version', bytes: googleInitial(`08 ${id} 51303433 01`), expect: null },
  { why: 'Google, no such version', bytes: googleInitial(`09 ${id} 51303939 01`), expect: null },
  {
    why: 'Google, Q050, too small to be protected',
    bytes: initial({ version: '51303530', length: '13' }),
    expect: null,
  },
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
