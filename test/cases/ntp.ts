import { type DatagramCase, hex } from './case.js';

const padded = (digits: string, bytes: number): Uint8Array => {
  const datagram = new Uint8Array(bytes);
  datagram.set(hex(digits));
  return datagram;
};

const client = padded('e3 00 06 ec', 48);
/** RFC 7822 extension field: type, length, `bytes` bytes in total. */
const extension = (bytes: number, length = bytes): Uint8Array =>
  padded(`0104 ${length.toString(16).padStart(4, '0')}`, bytes);

export const datagrams: readonly DatagramCase[] = [
  { why: 'a client of version 4, its clock not set', bytes: client, expect: 'ntp' },
  { why: 'a client of version 3 that tells nothing', bytes: padded('1b', 48), expect: 'ntp' },
  { why: 'a client of version 1', bytes: padded('0b', 48), expect: 'ntp' },
  { why: 'precision hidden as 32', bytes: padded('23 00 06 20', 48), expect: 'ntp' },
  { why: 'a symmetric peer', bytes: padded('21 03 06 e9 0000 0a3c 0000 0142', 48), expect: 'ntp' },
  { why: 'with a key id and MD5', bytes: Buffer.concat([client, new Uint8Array(20)]), expect: 'ntp' },
  { why: 'with a key id and SHA-1', bytes: Buffer.concat([client, new Uint8Array(24)]), expect: 'ntp' },
  {
    why: 'with extension fields and no digest, as time security sends them',
    bytes: Buffer.concat([client, extension(36), extension(104)]),
    expect: 'ntp',
  },
  { why: 'an extension that is too long', bytes: Buffer.concat([client, extension(32, 64)]), expect: null },
  { why: 'an extension of no length', bytes: Buffer.concat([client, extension(32, 0)]), expect: null },
  { why: 'an extension of an odd length', bytes: Buffer.concat([client, extension(41)]), expect: null },
  { why: 'cut short', bytes: client.subarray(0, 47), expect: null },
  { why: 'a server opens nothing', bytes: padded('24 01 06 ec', 48), expect: null },
  { why: 'no such stratum', bytes: padded('e3 40 06 ec', 48), expect: null },
  { why: 'ntpq reads variables', bytes: hex('16 02 0001 0000 0000 0000 0000'), expect: 'ntp' },
  {
    why: 'ntpq with data, padded',
    bytes: Buffer.concat([hex('1e 02 0001 0000 0000 0000 0005'), Buffer.from('peers\0\0\0')]),
    expect: 'ntp',
  },
  { why: 'data that is not there', bytes: hex('16 02 0001 0000 0000 0000 0008'), expect: null },
  { why: 'the answer to ntpq opens nothing', bytes: hex('16 82 0001 0618 0000 0000 0000'), expect: null },
  { why: 'ntpdc asks for the list of clients', bytes: hex('17 00 03 2a 0000 0000'), expect: 'ntp' },
  { why: 'items that are not there', bytes: hex('17 00 03 2a 0001 0010'), expect: null },
];
