import { type Case, hex, text } from './case.js';

/** A connection request with the variable part `rest`. */
function request(rest: string): Uint8Array {
  const length = String.fromCharCode(rest.length + 11);
  const indicator = String.fromCharCode(rest.length + 6);
  return text(`\x03\0\0${length}${indicator}\xe0\0\0\0\0\0${rest}`);
}

const negotiation = '\x01\0\x08\0\x03\0\0\0';

export const cases: readonly Case[] = [
  {
    why: 'a cookie',
    bytes: request(`Cookie: mstshash=alice\r\n${negotiation}`),
    expect: { protocol: 'rdp', at: 12 },
  },
  {
    why: 'a routing token',
    bytes: request(`tsv://farm\r\n${negotiation}`),
    expect: { protocol: 'rdp', at: 12 },
  },
  { why: 'a negotiation request', bytes: request(negotiation), expect: { protocol: 'rdp', at: 15 } },
  { why: 'nothing but the header', bytes: request(''), expect: { protocol: 'rdp', at: 11 } },
  { why: 'the header is not all here', bytes: hex('03 00 00 2a 25 e0 00 00 00 00'), expect: 'more' },
  {
    why: 'the lengths do not agree: neither RDP nor RTMP',
    bytes: hex('03 00 00 2a 20 e0 00 00 00 00 00 43'),
    expect: { unknownAt: 12 },
  },
  {
    why: 'a Siemens S7 controller is called by the same request with parameters',
    bytes: hex('03 00 00 16 11 e0 00 00 00 01 00 c0 01 0a'),
    expect: { unknownAt: 12 },
  },
  {
    why: 'a preconnection PDU with an id, as xfreerdp sends it',
    bytes: Buffer.concat([
      hex('12 00 00 00 00 00 00 00 02 00 00 00 07 00 00 00 00 00'),
      request(`Cookie: mstshash=alice\r\n${negotiation}`),
    ]),
    expect: { protocol: 'rdp', at: 18 },
  },
  {
    why: 'one with a name',
    bytes: hex('1e 00 00 00 00 00 00 00 02 00 00 00 00 00 00 00 06 00 62 00 6c 00 6f 00 62 00 00 00 00 00'),
    expect: { protocol: 'rdp', at: 18 },
  },
  {
    why: 'one of the first version',
    bytes: hex('10 00 00 00 00 00 00 00 01 00 00 00 07 00 00 00 03 00'),
    expect: { protocol: 'rdp', at: 16 },
  },
  {
    why: 'one whose lengths do not agree',
    bytes: hex('1e 00 00 00 00 00 00 00 02 00 00 00 00 00 00 00 07 00'),
    expect: { unknownAt: 18 },
  },
  { why: 'data without a connection', bytes: hex('03 00 00 0c 02 f0 80 04 01'), expect: { unknownAt: 6 } },
];
