import { type Case, hex, text } from './case.js';

export const cases: readonly Case[] = [
  { why: '0-9-1', bytes: hex('414d5150 00000901'), expect: { protocol: 'amqp', at: 8 } },
  { why: '1.0', bytes: hex('414d5150 00010000'), expect: { protocol: 'amqp', at: 8 } },
  { why: '1.0 with SASL', bytes: hex('414d5150 03010000'), expect: { protocol: 'amqp', at: 8 } },
  { why: '1.0 with TLS', bytes: hex('414d5150 02010000'), expect: { protocol: 'amqp', at: 8 } },
  { why: '0-10', bytes: hex('414d5150 0101000a'), expect: { protocol: 'amqp', at: 8 } },
  { why: '0-8', bytes: hex('414d5150 01010800'), expect: { protocol: 'amqp', at: 8 } },
  {
    why: '0-8 as its specification writes it (py-amqplib)',
    bytes: hex('414d5150 01010901'),
    expect: { protocol: 'amqp', at: 8 },
  },
  { why: 'a version that does not exist', bytes: hex('414d5150 00070707'), expect: { unknownAt: 6 } },
  { why: 'a protocol id that does not exist', bytes: hex('414d5150 01010000'), expect: { unknownAt: 8 } },
  { why: 'the version is not here yet', bytes: text('AMQP'), expect: 'more' },
];
