import { type Case, type DatagramCase, hex, text } from './case.js';

const handshake = '\x13BitTorrent protocol';

export const cases: readonly Case[] = [
  {
    why: 'a handshake',
    bytes: text(`${handshake}\0\0\0\0\0\x10\0\x05`),
    expect: { protocol: 'bittorrent', at: 20 },
  },
  { why: 'one byte is missing', bytes: text(handshake.slice(0, -1)), expect: 'more' },
  { why: 'one byte is wrong', bytes: text('\x13BitTorrent protocoX'), expect: { unknownAt: 20 } },
];

const node = 'abcdefghij0123456789';
const syn = '41 00 12 34 aa bb cc dd 00 00 00 00 00 10 00 00 00 01 00 00';

export const datagrams: readonly DatagramCase[] = [
  {
    why: 'a query of the DHT',
    bytes: text(`d1:ad2:id20:${node}e1:q4:ping1:t2:aa1:y1:qe`),
    expect: 'bittorrent',
  },
  {
    why: 'a query that asks for small answers',
    bytes: text(`d1:ad2:bsi1e2:id20:${node}e1:q4:ping1:t2:aa1:y1:qe`),
    expect: 'bittorrent',
  },
  { why: 'an answer is no opening', bytes: text(`d1:rd2:id20:${node}e1:t2:aa1:y1:re`), expect: null },
  { why: 'a uTP SYN', bytes: hex(syn), expect: 'bittorrent' },
  {
    why: 'a uTP SYN with extension bits',
    bytes: hex(`${syn.replace('41 00', '41 02')} 00 08 00 00 00 00 00 00 00 00`),
    expect: 'bittorrent',
  },
  { why: 'a uTP SYN that carries something', bytes: hex(`${syn} 00`), expect: null },
  { why: 'a uTP packet that acknowledges', bytes: hex(`${syn.slice(0, -2)} 01`), expect: null },
  { why: 'a tracker', bytes: hex('00 00 04 17 27 10 19 80 00 00 00 00 12 34 56 78'), expect: 'bittorrent' },
];
