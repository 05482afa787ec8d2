import { type Case, type DatagramCase, hex } from './case.js';

const transaction = '93 95 1a f3 2c b1 80 d8 3b 30 8d dd';

export const cases: readonly Case[] = [
  {
    why: 'Binding',
    bytes: hex(`00 01 00 00 21 12 a4 42 ${transaction}`),
    expect: { protocol: 'stun', at: 8 },
  },
  { why: 'Allocate of TURN', bytes: hex('00 03 00 20 21 12 a4 42 ac'), expect: { protocol: 'stun', at: 8 } },
  {
    why: 'ConnectionBind of TURN over TCP',
    bytes: hex('00 0b 00 08 21 12 a4 42'),
    expect: { protocol: 'stun', at: 8 },
  },
  { why: 'the cookie is not all here', bytes: hex('00 01 00 00 21 12 a4'), expect: 'more' },
  { why: 'another cookie', bytes: hex('00 01 00 00 21 12 a4 43 93 95'), expect: { unknownAt: 8 } },
  { why: 'a length that is not padded', bytes: hex('00 01 00 07 21'), expect: { unknownAt: 4 } },
  {
    why: 'a connectivity check of ICE over TCP, in its frame',
    bytes: hex(`00 1c 00 01 00 08 21 12 a4 42 ${transaction} 80 29 00 04 00 00 00 01`),
    expect: { protocol: 'stun', at: 10 },
  },
  { why: 'a frame whose cookie is not all here', bytes: hex('00 14 00 01 00 00 21 12 a4'), expect: 'more' },
  {
    why: 'a frame smaller than a message',
    bytes: hex('00 13 00 01 00 00 21 12 a4 42'),
    expect: { unknownAt: 5 },
  },
  {
    why: 'a frame far smaller than its message',
    bytes: hex('00 14 00 01 02 00 21 12 a4 42'),
    expect: { unknownAt: 5 },
  },
  {
    why: 'a frame with another cookie',
    bytes: hex('00 14 00 01 00 00 21 12 a4 43'),
    expect: { unknownAt: 10 },
  },
  { why: 'an answer', bytes: hex('01 01 00 00 21 12 a4 42 93 95'), expect: { unknownAt: 1 } },
];

export const datagrams: readonly DatagramCase[] = [
  { why: 'Binding', bytes: hex(`00 01 00 00 21 12 a4 42 ${transaction}`), expect: 'stun' },
  {
    why: 'with an attribute',
    bytes: hex(`00 01 00 08 21 12 a4 42 ${transaction} 80 22 00 03 61 62 63 00`),
    expect: 'stun',
  },
  { why: 'classic, without a cookie', bytes: hex(`00 01 00 00 01 02 03 04 ${transaction}`), expect: 'stun' },
  {
    why: 'classic, asking for another address',
    bytes: hex(`00 01 00 08 01 02 03 04 ${transaction} 00 03 00 04 00 00 00 06`),
    expect: 'stun',
  },
  {
    why: 'with a cookie, and a last attribute that is not padded (by the specification; no such client could be recorded)',
    bytes: hex(`00 01 00 07 21 12 a4 42 ${transaction} 80 22 00 03 61 62 63`),
    expect: 'stun',
  },
  {
    why: 'with a cookie, and attributes of a form of their own',
    bytes: hex(`00 03 00 05 21 12 a4 42 ${transaction} 00 00 00 09 61`),
    expect: 'stun',
  },
  {
    why: 'with a cookie and a length that is not the rest',
    bytes: hex(`00 01 00 07 21 12 a4 42 ${transaction} 80 22 00 03 61 62 63 00`),
    expect: null,
  },
  {
    why: 'classic, and a last attribute that is not padded',
    bytes: hex(`00 01 00 07 01 02 03 04 ${transaction} 80 22 00 03 61 62 63`),
    expect: null,
  },
  { why: 'a byte too many', bytes: hex(`00 01 00 00 21 12 a4 42 ${transaction} 00`), expect: null },
  {
    why: 'an attribute that leaves the message',
    bytes: hex(`00 01 00 08 01 02 03 04 ${transaction} 00 03 00 08 00 00 00 06`),
    expect: null,
  },
  { why: 'classic and no Binding', bytes: hex(`00 03 00 00 01 02 03 04 ${transaction}`), expect: null },
];
