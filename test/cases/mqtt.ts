import { type Case, hex, text } from './case.js';

export const cases: readonly Case[] = [
  {
    why: '3.1.1',
    bytes: text('\x10\x0e\0\x04MQTT\x04\x02\0\x3c\0\x02c1'),
    expect: { protocol: 'mqtt', at: 10 },
  },
  {
    why: '5',
    bytes: text('\x10\x10\0\x04MQTT\x05\x02\0\x3c\x03\x21\0\x14\0\0'),
    expect: { protocol: 'mqtt', at: 10 },
  },
  {
    why: '3.1',
    bytes: text('\x10\x10\0\x06MQIsdp\x03\x02\0\x3c\0\x02c1'),
    expect: { protocol: 'mqtt', at: 12 },
  },
  {
    why: 'a bridge',
    bytes: text('\x10\x0e\0\x04MQTT\x84\x02\0\x3c\0\x02c1'),
    expect: { protocol: 'mqtt', at: 10 },
  },
  {
    why: 'a length of three bytes',
    bytes: text('\x10\xb1\x9c\x01\0\x04MQTT\x04\x06'),
    expect: { protocol: 'mqtt', at: 12 },
  },
  { why: 'the name is not here yet', bytes: hex('10 0e 00 04'), expect: 'more' },
  { why: 'no such version', bytes: text('\x10\x0e\0\x04MQTT\x09\x02'), expect: { unknownAt: 9 } },
  { why: 'a reserved flag', bytes: text('\x10\x0e\0\x04MQTT\x04\x03'), expect: { unknownAt: 10 } },
  { why: 'a length of five bytes', bytes: hex('10 80 80 80 80 01 00 04'), expect: { unknownAt: 5 } },
  {
    why: 'a handshake of Minecraft, whose packet id is not a length',
    bytes: text('\x10\0\xfb\x05\x09127.0.0.1\x90\xfd\x02'),
    expect: { protocol: 'minecraft', at: 17 },
  },
];
