import { type DatagramCase, hex } from './case.js';

const initiation = (bytes: number): Uint8Array => {
  const datagram = new Uint8Array(bytes).fill(0xa7);
  datagram.set(hex('01 00 00 00'));
  return datagram;
};

export const datagrams: readonly DatagramCase[] = [
  { why: 'a handshake initiation', bytes: initiation(148), expect: 'wireguard' },
  { why: 'one byte short', bytes: initiation(147), expect: null },
  { why: 'one byte too many', bytes: initiation(149), expect: null },
  {
    why: 'a handshake response opens nothing',
    bytes: Buffer.concat([hex('02 00 00 00'), new Uint8Array(88)]),
    expect: null,
  },
  {
    why: 'a reserved byte that is not zero',
    bytes: Buffer.concat([hex('01 00 01 00'), new Uint8Array(144)]),
    expect: null,
  },
];
