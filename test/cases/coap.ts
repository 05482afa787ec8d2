import { type Case, type DatagramCase, hex } from './case.js';

export const cases: readonly Case[] = [
  { why: 'settings', bytes: hex('50 e1 23 80 01 00 20'), expect: { protocol: 'coap', at: 7 } },
  { why: 'one setting, which may be the length of an MQTT packet', bytes: hex('10 e1 40'), expect: 'more' },
  {
    why: 'a length of a byte more, settings nobody knows included',
    bytes: hex('d0 03 e1 23 80 01 00 20 ca 00 00 00 00 00 00 00 00 00 00'),
    expect: { protocol: 'coap', at: 19 },
  },
  { why: 'a largest message of no bytes', bytes: hex('10 e1 20'), expect: { unknownAt: 3 } },
  { why: 'a setting twice', bytes: hex('40 e1 21 40 01 40'), expect: { unknownAt: 6 } },
  { why: 'a critical setting that nobody knows', bytes: hex('40 e1 21 40 51 00'), expect: { unknownAt: 6 } },
  { why: 'settings with a payload', bytes: hex('40 e1 21 40 ff 00'), expect: { unknownAt: 6 } },
  { why: 'the settings are not all here', bytes: hex('50 e1 23 80'), expect: 'more' },
  {
    why: 'a setting that goes past the announced end',
    bytes: hex('20 e1 23 80 ff'),
    expect: { unknownAt: 5 },
  },
];

export const datagrams: readonly DatagramCase[] = [
  { why: 'GET / in its shortest form', bytes: hex('40 01 12 34'), expect: 'coap' },
  {
    why: 'PUT with token, path and payload',
    bytes: hex('41 03 b996 01 72 d7e2 43 6c6564 ff 31'),
    expect: 'coap',
  },
  { why: 'GET with path, not acknowledged', bytes: hex('52 01 b996 0102 b3 6c6564'), expect: 'coap' },
  {
    why: 'a value of 13 bytes and more',
    bytes: hex('40 01 0001 bd 02 6162636465666768696a6b6c6d6e6f'),
    expect: 'coap',
  },
  { why: 'observe', bytes: hex('41 01 f422 01 60 12 9653 416f'), expect: 'coap' },
  {
    why: 'text without an option that says what it is',
    bytes: hex('40 02 1234 ff 68656c6c6f0a'),
    expect: 'coap',
  },
  { why: 'CBOR with its format', bytes: hex('40 02 1234 c1 3c ff a10102'), expect: 'coap' },
  {
    why: 'bytes without an option that says what they are',
    bytes: hex('40 02 1234 ff a10102'),
    expect: null,
  },
  { why: 'a port of three bytes', bytes: hex('40 01 1234 73 000102'), expect: null },
  { why: 'an entity tag without bytes', bytes: hex('40 01 1234 40'), expect: null },
  { why: 'two content formats', bytes: hex('40 01 1234 c1 3c 01 3c'), expect: null },
  { why: 'two parts of a path', bytes: hex('40 01 1234 b1 61 01 62'), expect: 'coap' },
  { why: 'a path that is no text', bytes: hex('40 01 1234 b2 ff00'), expect: null },
  { why: 'an option of answers: Location-Path', bytes: hex('40 01 1234 81 61'), expect: null },
  { why: 'an answer opens nothing', bytes: hex('60 45 1234'), expect: null },
  { why: 'an empty message opens nothing', bytes: hex('40 00 1234'), expect: null },
  { why: 'no such method', bytes: hex('40 08 1234'), expect: null },
  { why: 'a token that is not there', bytes: hex('44 01 1234 01'), expect: null },
  { why: 'an option that goes past the end', bytes: hex('40 01 1234 b5 6c'), expect: null },
  { why: 'a marker without a payload', bytes: hex('40 01 1234 ff'), expect: null },
  { why: 'a reserved length', bytes: hex('40 01 1234 bf 00'), expect: null },
  { why: 'an option that is not registered', bytes: hex('40 01 1234 21 00'), expect: null },
];
